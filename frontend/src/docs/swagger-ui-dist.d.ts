/** The parts of the viewer's options that are used here; its makers publish no types. */
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  type Options = {
    dom_id: string;
    url: string;
    deepLinking: boolean;
    displayRequestDuration: boolean;
    defaultModelsExpandDepth: number;
    docExpansion: 'list' | 'full' | 'none';
    persistAuthorization: boolean;
    tryItOutEnabled: boolean;
    validatorUrl: string | null;
  };
  export default function SwaggerUI(options: Options): void;
}
