import type { paths } from './schema';

type Json<Message> = Message extends { content: { 'application/json': infer Body } } ? Body : never;

/** The JSON body of a successful response: `ResponseBody<'/v1/tokens', 'post', 201>`. */
export type ResponseBody<
  Path extends keyof paths,
  Method extends keyof paths[Path] = 'get' & keyof paths[Path],
  Status = 200,
> = paths[Path][Method] extends { responses: infer Responses }
  ? Status extends keyof Responses
    ? Json<Responses[Status]>
    : never
  : never;

/** The JSON body that an operation takes: `RequestBody<'/v1/tokens', 'post'>`. */
export type RequestBody<
  Path extends keyof paths,
  Method extends keyof paths[Path],
> = paths[Path][Method] extends { requestBody: infer Request } ? Json<Request> : never;
