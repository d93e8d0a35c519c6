import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { EMPTY, ok, problem, serve, session } from '../test/api';
import { show } from '../test/show';
import type { ListedSession } from './queries';

const here: ListedSession = {
  id: 's1',
  created_at: '2026-11-24T10:00:00Z',
  last_used_at: '2026-11-24T10:00:00Z',
  expires_at: '2026-12-24T10:00:00Z',
  address: '192.0.2.1',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  current: true,
};
const there: ListedSession = { ...here, id: 's2', user_agent: 'curl/8.5.0', current: false };
const page = (...items: unknown[]) => ok({ items, next_cursor: null });
const routes = (): Parameters<typeof serve>[0] => ({
  ...EMPTY,
  'GET /v1/session': ok(session),
  'GET /v1/sessions': page(here, there),
});

describe('the sessions', () => {
  it('are a page of the account menu, and the one that looks cannot end itself', async () => {
    serve(routes());
    const { user, place } = show('/');
    await user.click(await screen.findByRole('link', { name: 'Sessions', hidden: true }));
    const [mine, other] = await screen.findAllByTestId('session-row');
    expect(place()).toBe('/sessions');
    expect(mine).toHaveTextContent('Firefox on Linux');
    expect(mine).toHaveTextContent('this one');
    expect(mine && within(mine).queryByRole('button')).toBeNull();
    expect(other && within(other).getByRole('button')).toHaveAccessibleName(
      /^End the session with curl/,
    );
  });

  it('end with the CSRF token, and are gone from the list', async () => {
    const responses = routes();
    responses['DELETE /v1/sessions/s2'] = () => {
      responses['GET /v1/sessions'] = page(here);
      return { status: 204 };
    };
    const calls = serve(responses);
    const { user } = show('/sessions');
    await user.click(await screen.findByRole('button', { name: /^End the session with curl/ }));
    await waitFor(() => expect(screen.getAllByTestId('session-row')).toHaveLength(1));
    const call = calls.find(({ route }) => route.startsWith('DELETE'));
    expect(call?.headers.get('x-csrf-token')).toBe(session.csrf_token);
  });

  it('that cannot be ended are said to go on', async () => {
    const detail = 'There is no such session.';
    serve({ ...routes(), 'DELETE /v1/sessions/s2': problem(404, 'session-not-found', { detail }) });
    const { user } = show('/sessions');
    await user.click(await screen.findByRole('button', { name: /^End the session with curl/ }));
    expect(await screen.findByRole('alert')).toHaveTextContent(detail);
  });
});
