import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { EMPTY, problem, serve, session } from '../test/api';
import { show } from '../test/show';

const LINK = '/join#token=dbi_x2Vd0u4m3kqQ-c_1';
const PASSWORD = 'correct horse battery';

async function join(user: ReturnType<typeof show>['user'], password = PASSWORD) {
  await user.type(await screen.findByLabelText('Password'), password);
  await user.click(screen.getByRole('button', { name: 'Join' }));
}

describe('an invitation', () => {
  it('is accepted with a password, and leads to the overview', async () => {
    const calls = serve({
      ...EMPTY,
      'POST /v1/invitations/accept': { status: 201, body: session },
    });
    const { user, place } = show(LINK);
    await join(user);
    expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
    expect(place()).toBe('/');
    expect(calls[0]?.body).toEqual({ token: 'dbi_x2Vd0u4m3kqQ-c_1', password: PASSWORD });
    expect(calls.map(({ route }) => route)).not.toContain('GET /v1/session');
  });

  it('is not sent with a password that is plainly too short', async () => {
    const calls = serve({});
    const { user } = show(LINK);
    await join(user, 'elevenchars');
    const password = screen.getByLabelText('Password');
    expect(password).toHaveAccessibleDescription(/^Too short: at least 12 characters\. .*128/);
    expect(password).toHaveFocus();
    expect(calls).toEqual([]);
  });

  it('says at the password why the server refuses it, and can be sent again', async () => {
    const errors = [{ pointer: '/password', detail: 'is one that many people have' }];
    const routes: Parameters<typeof serve>[0] = {
      ...EMPTY,
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
    serve({ 'POST /v1/invitations/accept': problem(404, 'invitation-not-found') });
    const { user } = show(LINK);
    await join(user);
    expect(await screen.findByRole('heading', { name: 'This link is good no more' })).toBeVisible();
    expect(screen.getByRole('alert')).toHaveTextContent('used already');
    expect(screen.getByRole('link', { name: 'Log in' })).toHaveAttribute('href', '/log-in');
    expect(screen.queryByLabelText('Password')).not.toBeInTheDocument();
  });

  it.each(['/join', '/join#', '/join#token='])('%s is not whole', (address) => {
    serve({});
    show(address);
    expect(screen.getByRole('heading', { name: 'This link is not whole' })).toBeVisible();
    expect(screen.queryByLabelText('Password')).not.toBeInTheDocument();
  });
});
