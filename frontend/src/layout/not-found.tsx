import { Link } from 'react-router';
import { usePageTitle } from './use-page-title';

export function NotFoundPage() {
  usePageTitle('Not found');
  return (
    <main className="lone">
      <p className="lone-code">404</p>
      <h1>There is no such page</h1>
      <p>The address may be mistyped, or the page is one of another version.</p>
      <p className="lone-links">
        <Link className="button button-primary" to="/">
          Go to the overview
        </Link>
        <a className="button" href="/docs">
          API docs
        </a>
      </p>
    </main>
  );
}
