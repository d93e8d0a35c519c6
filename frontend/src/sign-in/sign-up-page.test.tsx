import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { EMPTY, problem, serve, session } from '../test/api';
import { show } from '../test/show';
import { browserTimeZone } from '../time/zone';

const NOBODY = { 'GET /v1/session': problem(401, 'session-missing') };
const { customer, ...rest } = session;

async function signUp(user: ReturnType<typeof show>['user'], password = 'correct horse battery') {
  await user.type(await screen.findByLabelText('Name'), 'Ledger & Co');
  await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
  await user.type(screen.getByLabelText('Password'), password);
  await user.click(screen.getByRole('button', { name: 'Sign up' }));
}

describe('sign-up', () => {
  it('sends nothing while a field is plainly wrong, and says which', async () => {
    const calls = serve(NOBODY);
    const { user } = show('/sign-up');
    await signUp(user, 'elevenchars');
    const password = screen.getByLabelText('Password');
    expect(password).toHaveAccessibleDescription(/^Too short: at least 12 characters\./);
    expect(password).toHaveFocus();
    expect(screen.getByLabelText('Name')).toHaveAttribute('aria-invalid', 'false');
    expect(calls.map(({ route }) => route)).not.toContain('POST /v1/customers');
  });

  it('puts what the server refuses at the field', async () => {
    const errors = [{ pointer: '/email', detail: 'must be an e-mail address' }];
    serve({ ...NOBODY, 'POST /v1/customers': problem(422, 'invalid', { errors }) });
    const { user } = show('/sign-up');
    await signUp(user);
    const email = screen.getByLabelText('E-mail');
    await waitFor(() => expect(email).toBeInvalid());
    expect(email).toHaveAccessibleDescription('Must be an e-mail address.');
    expect(email).toHaveFocus();
  });

  it('says at the address that it is taken', async () => {
    const detail = 'Somebody has signed up with this address.';
    serve({ ...NOBODY, 'POST /v1/customers': problem(409, 'email-taken', { detail }) });
    const { user } = show('/sign-up');
    await signUp(user);
    await waitFor(() =>
      expect(screen.getByLabelText('E-mail')).toHaveAccessibleDescription(detail),
    );
  });

  it('sends the zone of the browser unless another is chosen, and leads to the overview', async () => {
    const calls = serve({
      ...NOBODY,
      ...EMPTY,
      'POST /v1/customers': { status: 201, body: { ...customer, ...rest } },
    });
    const { user, place } = show('/sign-up');
    await signUp(user);
    expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible();
    expect(place()).toBe('/');
    expect(calls.find(({ route }) => route === 'POST /v1/customers')?.body).toEqual({
      name: 'Ledger & Co',
      email: 'ada@example.com',
      password: 'correct horse battery',
      time_zone: browserTimeZone(),
    });
  });
});
