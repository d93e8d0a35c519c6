import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { EMPTY, ok, problem, serve, session, token } from '../test/api';
import { show } from '../test/show';

const TOKENS = { 'GET /v1/tokens': ok({ items: [token], next_cursor: null }) };

describe('a session', () => {
  it('is asked for before anything of the customer is, and log-in leads back', async () => {
    const calls = serve({
      ...TOKENS,
      'GET /v1/session': problem(401, 'session-missing'),
      'POST /v1/session': ok(session),
    });
    const { user, place } = show('/tokens');
    await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
    expect(place()).toBe('/log-in?next=%2Ftokens');
    expect(calls.map(({ route }) => route)).toEqual(['GET /v1/session']);
    await user.type(screen.getByLabelText('Password'), 'correct horse battery');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByTestId('token-row')).toHaveTextContent('nightly import');
    expect(place()).toBe('/tokens');
  });

  it('does not begin with a wrong password, and says so', async () => {
    const detail = 'No member has this address and this password.';
    serve({
      'GET /v1/session': problem(401, 'session-missing'),
      'POST /v1/session': problem(401, 'wrong-credentials', { detail }),
    });
    const { user, place } = show('/log-in');
    await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
    await user.type(screen.getByLabelText('Password'), 'wrong horse battery');
    await user.click(screen.getByRole('button', { name: 'Log in' }));
    expect(await screen.findByRole('alert')).toHaveTextContent(detail);
    expect(place()).toBe('/log-in');
    expect(screen.getByLabelText('E-mail')).toHaveValue('ada@example.com');
  });

  it('that ends leads to log-in with a way back, and leaves nothing in memory', async () => {
    const routes: Parameters<typeof serve>[0] = { ...TOKENS, 'GET /v1/session': ok(session) };
    serve(routes);
    const { queries, place } = show('/tokens');
    await screen.findByTestId('token-row');
    routes['GET /v1/tokens'] = problem(401, 'session-expired');
    await queries.invalidateQueries({ queryKey: ['tokens'] });
    await screen.findByRole('heading', { name: 'Log in' });
    expect(place()).toBe('/log-in?next=%2Ftokens');
    expect(queries.getQueryData(['tokens'])).toBeUndefined();
  });

  it('that is ended by log-out leaves nothing in memory, and no way back', async () => {
    const calls = serve({
      ...EMPTY,
      ...TOKENS,
      'GET /v1/session': ok(session),
      'DELETE /v1/session': { status: 204 },
    });
    const { user, queries, place } = show('/tokens');
    await screen.findByTestId('token-row');
    await user.click(screen.getByRole('button', { name: 'Log out', hidden: true }));
    await screen.findByRole('heading', { name: 'Log in' });
    expect(place()).toBe('/log-in');
    const kept = queries.getQueryCache().getAll();
    expect(kept.map(({ queryKey }) => queryKey)).toEqual([['session']]);
    expect(kept[0]?.state.data).toBeNull();
    const call = calls.find(({ route }) => route === 'DELETE /v1/session');
    expect(call?.headers.get('x-csrf-token')).toBe(session.csrf_token);
  });

  it('of another member does not show what the first one saw', async () => {
    const routes: Parameters<typeof serve>[0] = { ...TOKENS, 'GET /v1/session': ok(session) };
    serve(routes);
    const { queries } = show('/tokens');
    await screen.findByTestId('token-row');
    const other = { ...session, member: { ...session.member, id: 'm2' } };
    routes['GET /v1/session'] = ok(other);
    routes['GET /v1/tokens'] = ok({ items: [], next_cursor: null });
    await queries.invalidateQueries({ queryKey: ['session'] });
    await waitFor(() => expect(screen.queryByTestId('token-row')).not.toBeInTheDocument());
  });

  it('that cannot be asked for is asked for again by itself', async () => {
    const down = problem(503, 'unavailable');
    const routes: Parameters<typeof serve>[0] = { ...TOKENS, 'GET /v1/session': down };
    serve(routes);
    show('/tokens');
    expect(await screen.findByRole('alert')).toHaveTextContent('Daybook is not ready just now');
    routes['GET /v1/session'] = ok(session);
    expect(await screen.findByTestId('token-row', {}, { timeout: 20_000 })).toBeVisible();
  });

  it('is not needed to learn that there is no such page', () => {
    serve({});
    show('/nowhere');
    expect(screen.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
    expect(document.title).toBe('Not found · Daybook');
  });
});
