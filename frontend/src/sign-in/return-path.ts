type Place = { pathname: string; search: string };

/** The path of the log-in page that leads back to `place`; the overview is the default. */
export function logInPathFor({ pathname, search }: Place): string {
  const place = pathname + search;
  return place === '/' ? '/log-in' : `/log-in?${new URLSearchParams({ next: place }).toString()}`;
}

/** Where to go after log-in. Only a place of the dashboard: a link must not lead to another site. */
export function returnPath(address: URLSearchParams): string {
  const next = address.get('next') ?? '/';
  const { origin } = window.location;
  if (!next.startsWith('/') || !URL.canParse(next, origin)) return '/';
  const url = new URL(next, origin);
  return url.origin === origin ? url.pathname + url.search : '/';
}
