import { screen, within } from '@testing-library/react';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EMPTY, ok, serve, session } from '../test/api';
import { show } from '../test/show';

const links = (nav: Element) =>
  [...nav.querySelectorAll('a')].map((link) => [
    link.textContent.trim(),
    link.getAttribute('href'),
  ]);

it('the API docs have the same navigation as the dashboard', async () => {
  serve({ ...EMPTY, 'GET /v1/session': ok(session) });
  show('/');
  const ours = await screen.findByRole('navigation', { name: 'Main' });
  const html = readFileSync('docs.html', 'utf8');
  const docs = new DOMParser().parseFromString(html, 'text/html').querySelector('nav');
  expect(docs && links(docs)).toEqual(links(ours));
  expect(docs?.getAttribute('aria-label')).toBe('Main');
  expect(within(ours).getByRole('link', { current: 'page' })).toHaveTextContent('Overview');
});
