import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { ActivityPage, ActivityReport } from '../api/reports';
import { EMPTY, issued, noActivity, noFeed, ok, problem, serve, session } from '../test/api';
import { show } from '../test/show';

const LOGGED_IN = { 'GET /v1/session': ok(session) };
const feed: ActivityPage = {
  ...noFeed,
  items: [
    {
      id: 'a1',
      type: 'page.viewed',
      actor: 'ada',
      occurred_at: '2026-11-24T10:00:00Z',
      recorded_at: '2026-11-24T10:00:01Z',
      partition: 3,
      position: 1,
      sequence: 1,
      value: 12.5,
      properties: null,
      context: null,
    },
  ],
};
const activity: ActivityReport = {
  ...noActivity,
  total: 1,
  series: [{ bucket: '2026-11-24T10:00:00Z', group: 'page.viewed', count: 1 }],
};
const FIRST = { 'GET /v1/activities': ok(feed), 'GET /v1/reports/activity': ok(activity) };

describe('the overview of a new customer', () => {
  it('gives a line to paste, with a new token in it at a click', async () => {
    const calls = serve({
      ...LOGGED_IN,
      ...EMPTY,
      'POST /v1/tokens': { status: 201, body: issued },
    });
    const { user } = show('/');
    expect(await screen.findByTestId('curl')).toHaveTextContent('Bearer dbk_YOUR_TOKEN');
    await user.click(screen.getByRole('button', { name: 'Make a token' }));
    expect(await screen.findByText(/Waiting for the first activity/)).toBeVisible();
    expect(screen.getByTestId('curl')).toHaveTextContent(`Bearer ${issued.token}`);
    const call = calls.find(({ route }) => route === 'POST /v1/tokens');
    expect(call?.body).toMatchObject({ scopes: ['ingest'] });
    expect(call?.headers.get('x-csrf-token')).toBe(session.csrf_token);
  });

  it('shows the first activity by itself, and keeps the token until it is kept elsewhere', async () => {
    const routes = { ...LOGGED_IN, ...EMPTY, 'POST /v1/tokens': { status: 201, body: issued } };
    serve(routes);
    const { user } = show('/');
    await user.click(await screen.findByRole('button', { name: 'Make a token' }));
    expect(await screen.findByText(/shown this once/)).toBeVisible();
    Object.assign(routes, FIRST);
    expect(await screen.findByTestId('feed-item')).toHaveTextContent('ada');
    expect(screen.getByTestId('total')).toHaveTextContent('1');
    expect(screen.getByTestId('curl')).toHaveTextContent(issued.token);
    await user.click(screen.getByRole('button', { name: 'Done' }));
    expect(screen.queryByTestId('curl')).not.toBeInTheDocument();
  });

  it('does not offer a token to who may not make one', async () => {
    const analyst = { ...session, scopes: ['read'] };
    serve({ ...EMPTY, 'GET /v1/session': ok(analyst) });
    show('/');
    expect(await screen.findByText(/Your role cannot make tokens/)).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Make a token' })).not.toBeInTheDocument();
  });
});

describe('the overview', () => {
  it('reads its filters from the address and writes them there', async () => {
    serve({ ...LOGGED_IN, ...EMPTY, ...FIRST });
    const { user, place } = show('/?range=30d&type=page.viewed&view=table');
    expect(await screen.findByRole('radio', { name: 'Last 30 days' })).toBeChecked();
    expect(screen.getByRole('radio', { name: 'Table' })).toBeChecked();
    expect(screen.getByRole('combobox', { name: 'Type' })).toHaveValue('page.viewed');
    await user.click(screen.getByRole('radio', { name: 'Weeks' }));
    expect(place()).toBe('/?range=30d&interval=week&type=page.viewed&view=table');
    await user.selectOptions(screen.getByRole('combobox', { name: 'Type' }), 'All types');
    expect(place()).toBe('/?range=30d&interval=week&view=table');
  });

  it('says what cannot be loaded, and loads it when asked again', async () => {
    const routes: Parameters<typeof serve>[0] = { ...LOGGED_IN, ...EMPTY, ...FIRST };
    routes['GET /v1/reports/active-users'] = problem(403, 'scope-missing', { detail: 'Not you.' });
    serve(routes);
    const { user } = show('/');
    expect(await screen.findByRole('alert')).toHaveTextContent('Not you.');
    expect(await screen.findByTestId('feed-item')).toBeVisible();
    Object.assign(routes, EMPTY, FIRST);
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('img', { name: /^Line chart/ })).toBeVisible();
  });
});
