import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ok, problem, serve, session } from '../test/api';
import { show } from '../test/show';

const other = {
  ...session,
  customer: { id: 'c2', name: 'Other & Sons', time_zone: 'UTC' },
  member: { id: 'm2', email: 'eve@example.com', role: 'owner' as const },
  csrf_token: 'csrf-2',
};
const member = (email: string) => ({
  id: email,
  email,
  role: 'owner',
  added_at: '2026-11-01T10:00:00Z',
});
const people = (customer_id: string, email: string) =>
  ok({ customer_id, items: [member(email)], next_cursor: null });

describe('a window whose browser logs in as somebody else', () => {
  it('notices by the first answer that names another customer, and shows nothing of it', async () => {
    const routes: Parameters<typeof serve>[0] = {
      'GET /v1/session': ok(session),
      'GET /v1/members': people('c1', 'ada@example.com'),
      'GET /v1/invitations': ok({ customer_id: 'c1', items: [], next_cursor: null }),
    };
    serve(routes);
    const { user, queries } = show('/people');
    expect(await screen.findAllByTestId('member-row')).toHaveLength(1);
    routes['GET /v1/session'] = ok(other);
    routes['GET /v1/members'] = people('c2', 'eve@example.com');
    routes['GET /v1/invitations'] = ok({ customer_id: 'c2', items: [], next_cursor: null });
    void queries.refetchQueries({ queryKey: ['members'] });
    const notice = await screen.findByTestId('other-session');
    expect(notice).toHaveTextContent('eve@example.com of Other & Sons');
    expect(notice).toHaveTextContent('ada@example.com of Ledger & Co');
    expect(screen.queryByTestId('member-row')).not.toBeInTheDocument();

    await user.click(screen.getByRole('button', { name: 'Go on as the other one' }));
    expect(await screen.findByTestId('member-row')).toHaveTextContent('eve@example.com');
    expect(screen.queryByText('Ledger & Co')).not.toBeInTheDocument();
  });

  it('changes nothing of the other one, and says so', async () => {
    const routes: Parameters<typeof serve>[0] = {
      'GET /v1/session': ok(session),
      'GET /v1/members': people('c1', 'ada@example.com'),
      'GET /v1/invitations': ok({ customer_id: 'c1', items: [], next_cursor: null }),
      'POST /v1/members': problem(403, 'csrf-token-missing'),
    };
    serve(routes);
    const { user } = show('/people');
    await user.type(await screen.findByLabelText('E-mail'), 'bob@example.com');
    routes['GET /v1/session'] = ok(other);
    await user.click(screen.getByRole('button', { name: 'Make a link' }));
    await waitFor(() => expect(screen.getByTestId('other-session')).toBeVisible());
  });
});
