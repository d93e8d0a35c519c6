import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import {
  EMPTY,
  issued,
  noActivity,
  noFeed,
  noTypes,
  noUsers,
  ok,
  problem,
  serve,
  session,
} from '../test/api';
import { show } from '../test/show';
import type { ActivityPage, ActivityReport, TopReport } from './queries';

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
const types: TopReport = {
  ...noTypes,
  items: [
    { key: 'page.viewed', count: 1, actors: 1 },
    { key: 'seldom', count: 1, actors: 1 },
  ],
};
const FIRST = {
  'GET /v1/activities': ok(feed),
  'GET /v1/reports/activity': ok(activity),
  'GET /v1/reports/top': ok(types),
};

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
  it('shows the numbers of an activity as they were sent', async () => {
    const sent = '{"wei":9007199254740993,"rate":0.00001,"price":1.0,"all":[1e2,-0]}';
    const text = JSON.stringify(feed)
      .replace('"properties":null', `"properties":${sent}`)
      .replace('"value":12.5', '"value":20000000000000000001');
    serve({ ...LOGGED_IN, ...EMPTY, ...FIRST, 'GET /v1/activities': { status: 200, text } });
    show('/');
    const item = await screen.findByTestId('feed-item');
    for (const number of ['9007199254740993', '0.00001', '1.0', '[1e2,-0]']) {
      expect(within(item).getByText(number)).toBeInTheDocument();
    }
    expect(within(item).getAllByText('20000000000000000001')).not.toHaveLength(0);
  });

  it('reckons with the clock of the server', async () => {
    const date = new Date(Date.now() + 10 * 60_000).toUTCString();
    const recent = { ...feed.items[0], occurred_at: new Date(date).toISOString() };
    const answer = { ...ok({ ...feed, items: [recent] }), date };
    const calls: URL[] = [];
    serve({
      ...EMPTY,
      'GET /v1/session': { ...ok(session), date },
      'GET /v1/activities': answer,
      'GET /v1/reports/activity': (_, url) => {
        calls.push(url);
        return { ...ok(activity), date };
      },
    });
    show('/?range=1h');
    expect(await screen.findByText(/^just now|^\d s ago/)).toBeVisible();
    const to = calls.at(-1)?.searchParams.get('to') ?? '';
    expect(Date.parse(to)).toBeGreaterThan(Date.parse(date) - 1_000);
  });

  it('leaves to the server which days and types there are', async () => {
    const requested = new Map<string, URLSearchParams>();
    const note = (body: unknown) => (_: unknown, url: URL) => {
      requested.set(url.pathname, url.searchParams);
      return ok(body);
    };
    serve({
      ...LOGGED_IN,
      ...EMPTY,
      ...FIRST,
      'GET /v1/reports/activity': note(activity),
      'GET /v1/reports/active-users': note(noUsers),
      'GET /v1/reports/top': note(types),
    });
    show('/?range=7d&type=page.viewed');
    expect(await screen.findByRole('option', { name: 'seldom' })).toBeInTheDocument();
    expect(await screen.findByRole('img', { name: /^Line chart/ })).toBeVisible();
    const of = (report: string) => Object.fromEntries(requested.get(`/v1/reports/${report}`) ?? []);
    const zone = { time_zone: session.customer.time_zone };
    const by = { interval: 'hour', group_by: 'type', type: 'page.viewed' };
    expect(of('activity')).toEqual({ range: '7d', ...by, ...zone });
    expect(of('active-users')).toEqual({ range: '30d', ...zone });
    expect(of('top')).toEqual({ range: '7d', dimension: 'type', ...zone });
  });

  it('does not say that reports are up to date when nothing is heard of them', async () => {
    const routes: Parameters<typeof serve>[0] = { ...LOGGED_IN, ...EMPTY, ...FIRST };
    serve(routes);
    show('/');
    expect(await screen.findByText('Up to date')).toBeVisible();
    routes['GET /v1/activities'] = ok({ ...feed, lag_ms: 13_000 });
    expect(await screen.findByText('13 s behind')).toBeVisible();
    routes['GET /v1/activities'] = problem(503, 'overloaded');
    expect(await screen.findByText('Not known')).toBeVisible();
  });

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
