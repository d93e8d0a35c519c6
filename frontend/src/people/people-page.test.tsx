import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ok, problem, serve, session } from '../test/api';
import { show } from '../test/show';
import type { Invitation, Member } from './queries';

const ada: Member = { ...session.member, added_at: '2026-11-01T10:00:00Z' };
const bob: Member = { ...ada, id: 'm2', email: 'bob@example.com', role: 'analyst' };
const eve: Invitation = {
  id: 'i1',
  email: 'eve@example.com',
  role: 'auditor',
  invited_by: 'member:m1',
  created_at: '2026-11-24T10:00:00Z',
  expires_at: '2026-12-01T10:00:00Z',
  address_in_use: false,
};
const LINK = 'http://127.0.0.1:8080/join#token=dbi_SECRET';
const page = (...items: unknown[]) => ok({ items, next_cursor: null });
const routes = (): Parameters<typeof serve>[0] => ({
  'GET /v1/session': ok(session),
  'GET /v1/members': page(ada, bob),
  'GET /v1/invitations': page(),
});

describe('the people', () => {
  it('are shown to everybody, and managed by owners', async () => {
    const calls = serve({
      ...routes(),
      'GET /v1/session': ok({ ...session, member: { ...session.member, role: 'engineer' } }),
    });
    show('/people');
    expect(await screen.findAllByTestId('member-row')).toHaveLength(2);
    expect(screen.getByTestId('no-manager')).toHaveTextContent('logged in as engineer');
    expect(screen.queryByRole('button', { name: /^Remove/ })).not.toBeInTheDocument();
    expect(screen.queryByRole('form')).not.toBeInTheDocument();
    expect(calls.map(({ route }) => route)).not.toContain('GET /v1/invitations');
  });

  it('are invited by a link that is shown once', async () => {
    const responses = routes();
    responses['POST /v1/members'] = () => {
      responses['GET /v1/invitations'] = page(eve);
      return { status: 201, body: { ...eve, invite_url: LINK } };
    };
    const calls = serve(responses);
    const { user, queries } = show('/people');
    const form = within(await screen.findByRole('form', { name: 'Invite somebody' }));
    await user.type(form.getByLabelText('E-mail'), 'eve@example.com');
    await user.click(form.getByRole('radio', { name: /^auditor/ }));
    await user.click(form.getByRole('button', { name: 'Make a link' }));
    expect(await screen.findByTestId('invite-link')).toHaveTextContent(LINK);
    expect(screen.getByRole('heading', { name: /is invited as auditor$/ })).toHaveFocus();
    expect(await screen.findByTestId('invitation-row')).toHaveTextContent('eve@example.com');
    const call = calls.find(({ route }) => route === 'POST /v1/members');
    expect(call?.body).toEqual({ email: 'eve@example.com', role: 'auditor' });

    await user.click(screen.getByRole('button', { name: 'I have kept it' }));
    expect(document.body).not.toHaveTextContent('dbi_SECRET');
    const kept = [queries.getQueryCache(), queries.getMutationCache()].map((cache) =>
      cache.getAll().map(({ state }) => state.data),
    );
    expect(JSON.stringify(kept)).not.toContain('dbi_SECRET');
  });

  it('are reached by a whole link, even of a server that does not know its address', async () => {
    const responses = routes();
    responses['POST /v1/members'] = {
      status: 201,
      body: { ...eve, invite_url: '/join#token=dbi_SECRET' },
    };
    serve(responses);
    const { user } = show('/people');
    await user.type(await screen.findByLabelText('E-mail'), 'eve@example.com');
    await user.click(screen.getByRole('button', { name: 'Make a link' }));
    expect(await screen.findByTestId('invite-link')).toHaveTextContent(
      `${window.location.origin}/join#token=dbi_SECRET`,
    );
  });

  it('are not invited twice, and that is said at the address', async () => {
    const detail = 'The address is that of a member already.';
    const calls = serve({
      ...routes(),
      'POST /v1/members': problem(409, 'already-member', { detail }),
    });
    const { user } = show('/people');
    const email = await screen.findByLabelText('E-mail');
    await user.type(email, 'bob');
    await user.click(screen.getByRole('button', { name: 'Make a link' }));
    expect(email).toHaveAccessibleDescription(/^This is not an e-mail address\./);
    expect(calls.map(({ route }) => route)).not.toContain('POST /v1/members');
    await user.type(email, '@example.com');
    await user.click(screen.getByRole('button', { name: 'Make a link' }));
    await waitFor(() => expect(email).toHaveAccessibleDescription(new RegExp(`^${detail}`)));
  });

  it('get another role after a question', async () => {
    const responses = routes();
    responses['PATCH /v1/members/m2'] = () => {
      responses['GET /v1/members'] = page(ada, { ...bob, role: 'engineer' });
      return ok({ ...bob, role: 'engineer' });
    };
    const calls = serve(responses);
    const { user } = show('/people');
    await user.click(
      await screen.findByRole('button', { name: 'Change the role of bob@example.com' }),
    );
    const dialog = within(screen.getByRole('dialog'));
    expect(dialog.getByRole('radio', { name: /^analyst/ })).toBeChecked();
    await user.click(dialog.getByRole('radio', { name: /^engineer/ }));
    await user.click(dialog.getByRole('button', { name: 'Change the role' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(screen.getAllByTestId('member-row')[1]).toHaveTextContent('engineer');
    expect(calls.find(({ route }) => route.startsWith('PATCH'))?.body).toEqual({
      role: 'engineer',
    });
  });

  it('keep an owner, and the question says so', async () => {
    const detail = 'A customer must keep at least one owner.';
    serve({ ...routes(), 'DELETE /v1/members/m1': problem(409, 'last-owner', { detail }) });
    const { user } = show('/people');
    await user.click(await screen.findByRole('button', { name: 'Remove ada@example.com' }));
    const dialog = within(screen.getByRole('dialog', { name: 'Remove ada@example.com?' }));
    expect(dialog.getByText(/^This is you\./)).toBeVisible();
    await user.click(dialog.getByRole('button', { name: 'Remove' }));
    expect(await dialog.findByRole('alert')).toHaveTextContent(detail);
  });

  it('are removed after a question', async () => {
    const responses = routes();
    responses['DELETE /v1/members/m2'] = () => {
      responses['GET /v1/members'] = page(ada);
      return { status: 204 };
    };
    const calls = serve(responses);
    const { user } = show('/people');
    await user.click(await screen.findByRole('button', { name: 'Remove bob@example.com' }));
    await user.click(screen.getByRole('button', { name: 'Keep them' }));
    expect(calls.some(({ route }) => route.startsWith('DELETE'))).toBe(false);
    await user.click(screen.getByRole('button', { name: 'Remove bob@example.com' }));
    await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Remove' }));
    await waitFor(() => expect(screen.getAllByTestId('member-row')).toHaveLength(1));
  });

  it('that were invited can be uninvited', async () => {
    const responses = routes();
    responses['GET /v1/invitations'] = page(eve);
    responses['DELETE /v1/invitations/i1'] = () => {
      responses['GET /v1/invitations'] = page();
      return { status: 204 };
    };
    serve(responses);
    const { user } = show('/people');
    const name = 'Withdraw the invitation of eve@example.com';
    await user.click(await screen.findByRole('button', { name }));
    expect(await screen.findByTestId('no-invitations')).toBeVisible();
  });
});
