import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { EMPTY, ok, problem, serve, session } from '../test/api';
import { show } from '../test/show';

const LINK = '/join#token=dbi_x2Vd0u4m3kqQ-c_1';
const NOBODY = { 'GET /v1/session': problem(401, 'session-missing') };
const OTHER = { id: 'c2', name: 'Other & Sons', time_zone: 'UTC' };
const PASSWORD = 'correct horse battery';

async function join(user: ReturnType<typeof show>['user'], password = PASSWORD) {
  await user.type(await screen.findByLabelText('Password'), password);
  await user.click(screen.getByRole('button', { name: 'Join' }));
}

describe('an invitation', () => {
  it('is accepted with a password, and leads to the overview', async () => {
    const calls = serve({
      ...EMPTY,
      ...NOBODY,
      'POST /v1/invitations/accept': { status: 201, body: session },
    });
    const { user, place } = show(LINK);
    await join(user);
    expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
    expect(place()).toBe('/');
    const call = calls.find(({ route }) => route === 'POST /v1/invitations/accept');
    expect(call?.body).toEqual({ token: 'dbi_x2Vd0u4m3kqQ-c_1', password: PASSWORD });
  });

  it('is not sent with a password that is plainly too short', async () => {
    const calls = serve(NOBODY);
    const { user } = show(LINK);
    await join(user, 'elevenchars');
    const password = screen.getByLabelText('Password');
    expect(password).toHaveAccessibleDescription(/^Too short: at least 12 characters\. .*128/);
    expect(password).toHaveFocus();
    expect(calls.map(({ route }) => route)).toEqual(['GET /v1/session']);
  });

  it('says at the password why the server refuses it, and can be sent again', async () => {
    const errors = [{ pointer: '/password', detail: 'is one that many people have' }];
    const routes: Parameters<typeof serve>[0] = {
      ...EMPTY,
      ...NOBODY,
      'POST /v1/invitations/accept': problem(422, 'invalid-content', { errors }),
    };
    serve(routes);
    const { user } = show(LINK);
    await join(user);
    await waitFor(() =>
      expect(screen.getByLabelText('Password')).toHaveAccessibleDescription(
        /^Is one that many people have\./,
      ),
    );
    routes['POST /v1/invitations/accept'] = { status: 201, body: session };
    await join(user, ' staple');
    expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
  });

  it('that was used or is too old is said to be so', async () => {
    serve({ ...NOBODY, 'POST /v1/invitations/accept': problem(404, 'invitation-not-found') });
    const { user } = show(LINK);
    await join(user);
    expect(await screen.findByRole('heading', { name: 'This link is good no more' })).toBeVisible();
    expect(screen.getByRole('alert')).toHaveTextContent('used already');
    expect(screen.getByRole('link', { name: 'Log in' })).toHaveAttribute('href', '/log-in');
    expect(screen.queryByLabelText('Password')).not.toBeInTheDocument();
  });

  it('to an address that has an account says what to do', async () => {
    serve({ ...NOBODY, 'POST /v1/invitations/accept': problem(409, 'address-in-use') });
    const { user } = show(LINK);
    await join(user);
    const title = 'Your address has an account already';
    expect(await screen.findByRole('heading', { name: title })).toBeVisible();
    expect(screen.getByRole('alert')).toHaveTextContent('another address of yours');
  });

  it('asks first whoever is logged in', async () => {
    const calls = serve({
      ...EMPTY,
      'GET /v1/session': ok(session),
      'POST /v1/invitations/accept': { status: 201, body: { ...session, customer: OTHER } },
    });
    const { user } = show(LINK);
    expect(await screen.findByRole('heading', { name: /logged in already/ })).toBeVisible();
    expect(screen.getByRole('alert')).toHaveTextContent('ada@example.com of Ledger & Co');
    expect(screen.queryByLabelText('Password')).not.toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Stay as you are' })).toHaveAttribute('href', '/');
    await user.click(screen.getByRole('button', { name: 'Go on and join' }));
    expect(calls.map(({ route }) => route)).toEqual(['GET /v1/session']);
    await join(user);
    expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
  });

  it.each(['/join', '/join#', '/join#token='])('%s is not whole', (address) => {
    serve({});
    show(address);
    expect(screen.getByRole('heading', { name: 'This link is not whole' })).toBeVisible();
    expect(screen.queryByLabelText('Password')).not.toBeInTheDocument();
  });
});
