import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { issued, ok, problem, serve, session, token } from '../test/api';
import { show } from '../test/show';

const LOGGED_IN = { 'GET /v1/session': ok(session) };
const page = (...items: unknown[]) => ok({ items, next_cursor: null });

describe('the tokens', () => {
  it('say that there are none', async () => {
    serve({ ...LOGGED_IN, 'GET /v1/tokens': page() });
    show('/tokens');
    expect(await screen.findByTestId('no-tokens')).toHaveTextContent('No tokens yet');
  });

  it('are shown to nobody without the scope admin, and not asked for', async () => {
    const calls = serve({
      'GET /v1/session': ok({
        ...session,
        member: { ...session.member, role: 'analyst' },
        scopes: ['read'],
      }),
    });
    show('/tokens');
    expect(await screen.findByTestId('no-admin')).toHaveTextContent('logged in as analyst');
    expect(calls.map(({ route }) => route)).toEqual(['GET /v1/session']);
  });

  it('show the secret of a new one once', async () => {
    const calls = serve({
      ...LOGGED_IN,
      'GET /v1/tokens': page(token),
      'POST /v1/tokens': { status: 201, body: issued },
    });
    const { user, queries } = show('/tokens');
    await user.type(await screen.findByLabelText('Name'), 'nightly import');
    await user.click(screen.getByRole('button', { name: 'Make a token' }));
    expect(await screen.findByTestId('token-secret')).toHaveTextContent(issued.token);
    expect(screen.getByTestId('curl')).toHaveTextContent(`Bearer ${issued.token}`);
    expect(screen.getByLabelText('Name')).toHaveValue('');
    expect(calls.find(({ route }) => route === 'POST /v1/tokens')?.body).toEqual({
      name: 'nightly import',
      scopes: ['ingest'],
    });

    await user.click(screen.getByRole('button', { name: 'I have kept it' }));
    expect(document.body).not.toHaveTextContent(issued.token);
    const kept = JSON.stringify([
      queries
        .getQueryCache()
        .getAll()
        .map(({ state }) => state.data),
      queries
        .getMutationCache()
        .getAll()
        .map(({ state }) => state.data),
    ]);
    expect(kept).not.toContain(issued.token);
  });

  it('are made for a browser, with the pages that may use them', async () => {
    const calls = serve({
      ...LOGGED_IN,
      'GET /v1/tokens': page({ ...token, public: true, allowed_origins: ['https://example.com'] }),
      'POST /v1/tokens': { status: 201, body: issued },
    });
    const { user } = show('/tokens');
    expect(await screen.findByTestId('token-row')).toHaveTextContent('public');
    await user.type(screen.getByLabelText('Name'), 'shop');
    await user.click(screen.getByRole('checkbox', { name: /^for a browser/ }));
    expect(screen.queryByRole('checkbox', { name: /^admin/ })).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Make a token' }));
    expect(screen.getByLabelText('Pages')).toHaveAccessibleDescription(/^Name at least one\./);
    await user.type(screen.getByLabelText('Pages'), 'https://example.com');
    await user.click(screen.getByRole('button', { name: 'Make a token' }));
    await screen.findByTestId('issued');
    expect(calls.find(({ route }) => route === 'POST /v1/tokens')?.body).toEqual({
      name: 'shop',
      scopes: ['ingest'],
      public: true,
      allowed_origins: ['https://example.com'],
      rate: 100,
    });
  });

  it('are made for a purpose, until the end of a day of the customer', async () => {
    const calls = serve({
      ...LOGGED_IN,
      'GET /v1/tokens': page(),
      'POST /v1/tokens': { status: 201, body: issued },
    });
    const { user } = show('/tokens');
    await user.click(await screen.findByRole('checkbox', { name: /^ingest/ }));
    await user.click(screen.getByRole('button', { name: 'Make a token' }));
    expect(screen.getByText('Choose at least one.')).toBeVisible();
    expect(screen.getByLabelText('Name')).toHaveAccessibleDescription(/^Enter a name\./);
    await user.type(screen.getByLabelText('Name'), 'audit');
    await user.click(screen.getByRole('checkbox', { name: /^audit/ }));
    await user.type(screen.getByLabelText(/^Expires/), '2036-12-31');
    await user.click(screen.getByRole('button', { name: 'Make a token' }));
    await screen.findByTestId('issued');
    expect(calls.find(({ route }) => route === 'POST /v1/tokens')?.body).toEqual({
      name: 'audit',
      scopes: ['audit'],
      expires_at: '2036-12-31T23:00:00.000Z',
    });
  });

  it('are revoked after a question', async () => {
    const routes: Parameters<typeof serve>[0] = {
      ...LOGGED_IN,
      'GET /v1/tokens': page(token),
      'DELETE /v1/tokens/t1': () => {
        routes['GET /v1/tokens'] = page({ ...token, revoked_at: '2026-11-24T10:00:00Z' });
        return { status: 204 };
      },
    };
    const calls = serve(routes);
    const { user } = show('/tokens');
    await user.click(await screen.findByRole('button', { name: 'Revoke nightly import' }));
    await user.click(screen.getByRole('button', { name: 'Keep it' }));
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    expect(calls.some(({ route }) => route.startsWith('DELETE'))).toBe(false);

    await user.click(screen.getByRole('button', { name: 'Revoke nightly import' }));
    const dialog = screen.getByRole('dialog', { name: 'Revoke “nightly import”?' });
    await user.click(within(dialog).getByRole('button', { name: 'Revoke' }));
    await waitFor(() => expect(screen.getByTestId('token-row')).toHaveTextContent('revoked'));
    expect(screen.queryByRole('button', { name: /^Revoke/ })).not.toBeInTheDocument();
  });

  it('say in the question why one was not revoked', async () => {
    serve({
      ...LOGGED_IN,
      'GET /v1/tokens': page(token),
      'DELETE /v1/tokens/t1': problem(404, 'token-not-found', {
        detail: 'There is no such token.',
      }),
    });
    const { user } = show('/tokens');
    await user.click(await screen.findByRole('button', { name: 'Revoke nightly import' }));
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Revoke' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('There is no such token.');
  });

  it('are rotated, and the secret of the successor is shown once', async () => {
    const calls = serve({
      ...LOGGED_IN,
      'GET /v1/tokens': page(token),
      'POST /v1/tokens/t1/rotate': { status: 201, body: { ...issued, id: 't2', replaces: 't1' } },
    });
    const { user } = show('/tokens');
    await user.click(await screen.findByRole('button', { name: 'Rotate nightly import' }));
    const dialog = within(screen.getByRole('dialog', { name: 'Rotate “nightly import”?' }));
    expect(dialog.getByRole('combobox')).toHaveDisplayValue('1 day');
    await user.selectOptions(dialog.getByRole('combobox'), '1 hour');
    await user.click(dialog.getByRole('button', { name: 'Rotate' }));
    expect(await screen.findByTestId('token-secret')).toHaveTextContent(issued.token);
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    const call = calls.find(({ route }) => route === 'POST /v1/tokens/t1/rotate');
    expect(call?.body).toEqual({ overlap_s: 3_600 });
  });

  it('with the scope admin are made and rotated by owners alone', async () => {
    const member = { ...session.member, role: 'engineer' };
    serve({
      'GET /v1/session': ok({ ...session, member }),
      'GET /v1/tokens': page(token, { ...token, id: 't2', name: 'terraform', scopes: ['admin'] }),
    });
    show('/tokens');
    expect(await screen.findByRole('button', { name: 'Rotate nightly import' })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Rotate terraform' })).not.toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Revoke terraform' })).toBeVisible();
    expect(screen.getByRole('checkbox', { name: /^admin/ })).toBeDisabled();
    expect(screen.getByRole('checkbox', { name: /^audit/ })).toBeEnabled();
  });
});
