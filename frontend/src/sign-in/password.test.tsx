import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ok, problem, serve, session } from '../test/api';
import { show } from '../test/show';

const OLD = 'correct horse battery';
const NEW = 'staple of another stable';
const LINK = '/reset-password#token=dbp_x2Vd0u4m3kqQ-c_1';
const NOBODY = { 'GET /v1/session': problem(401, 'session-missing') };

describe('a password', () => {
  it('is changed by whoever knows the old one, with the CSRF token', async () => {
    const routes: Parameters<typeof serve>[0] = {
      'GET /v1/session': ok(session),
      'POST /v1/password': problem(422, 'invalid-content', {
        errors: [{ pointer: '/old_password', detail: 'is not the present password' }],
      }),
    };
    const calls = serve(routes);
    const { user } = show('/password');
    await user.type(await screen.findByLabelText('Old password'), OLD);
    await user.type(screen.getByLabelText('New password'), NEW);
    const change = () => user.click(screen.getByRole('button', { name: 'Change the password' }));
    await change();
    await waitFor(() =>
      expect(screen.getByLabelText('Old password')).toHaveAccessibleDescription(
        'Is not the present password.',
      ),
    );
    routes['POST /v1/password'] = { status: 204 };
    await change();
    expect(await screen.findByText(/^Changed\./)).toBeVisible();
    expect(screen.getByLabelText('Old password')).toHaveValue('');
    const call = calls.findLast(({ route }) => route === 'POST /v1/password');
    expect(call?.body).toEqual({ old_password: OLD, new_password: NEW });
    expect(call?.headers.get('x-csrf-token')).toBe(session.csrf_token);
  });

  it('that is forgotten leads to a link, and the answer tells nothing else', async () => {
    const calls = serve({
      ...NOBODY,
      'POST /v1/password/forgotten': { status: 202, body: { expires_in_s: 3600 } },
    });
    const { user } = show('/log-in');
    await user.click(await screen.findByRole('link', { name: 'Forgotten your password?' }));
    await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
    await user.click(screen.getByRole('button', { name: 'Mail me a link' }));
    const answer = await screen.findByRole('status');
    expect(answer).toHaveTextContent(/^If somebody logs in with ada@example\.com, .* 60 minutes/);
    expect(calls.at(-1)?.body).toEqual({ email: 'ada@example.com' });
  });

  it('that is forgotten where no mail is sent leads to whoever runs Daybook', async () => {
    const detail = 'No mail is sent from here.';
    serve({
      ...NOBODY,
      'POST /v1/password/forgotten': problem(409, 'mail-not-configured', { detail }),
    });
    const { user } = show('/forgotten-password');
    await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
    await user.click(screen.getByRole('button', { name: 'Mail me a link' }));
    expect(await screen.findByRole('alert')).toHaveTextContent(detail);
  });

  it('is chosen with a link, and then logs in', async () => {
    const calls = serve({ ...NOBODY, 'POST /v1/password/reset': { status: 204 } });
    const { user } = show(LINK);
    await user.type(await screen.findByLabelText('New password'), NEW);
    await user.click(screen.getByRole('button', { name: 'Change the password' }));
    expect(await screen.findByRole('heading', { name: 'Your password is changed' })).toBeVisible();
    expect(screen.getByRole('link', { name: 'Log in' })).toHaveAttribute('href', '/log-in');
    const call = calls.find(({ route }) => route === 'POST /v1/password/reset');
    expect(call?.body).toEqual({ token: 'dbp_x2Vd0u4m3kqQ-c_1', password: NEW });
  });

  it('is not chosen with a link that was used', async () => {
    serve({ ...NOBODY, 'POST /v1/password/reset': problem(404, 'reset-not-found') });
    const { user } = show(LINK);
    await user.type(await screen.findByLabelText('New password'), NEW);
    await user.click(screen.getByRole('button', { name: 'Change the password' }));
    expect(await screen.findByRole('heading', { name: 'This link is good no more' })).toBeVisible();
    expect(screen.getByRole('link', { name: 'Ask for a new one' })).toBeVisible();
  });

  it('needs the whole link', () => {
    serve(NOBODY);
    show('/reset-password#token=');
    expect(screen.getByRole('heading', { name: 'This link is not whole' })).toBeVisible();
  });
});
