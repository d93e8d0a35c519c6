import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { noActivity, ok, problem, serve, session } from '../test/api';
import { show } from '../test/show';

const LOGGED_IN = { 'GET /v1/session': ok(session) };
const steps = ['cart.opened', 'order.placed'].map((type, index) => ({
  type,
  actors: 4 / (index + 1),
  conversion: 1 / (index + 1),
  conversion_from_previous: 1 / (index + 1),
  median_s: index === 0 ? null : 90,
  p90_s: index === 0 ? null : 90,
}));

describe('the reports', () => {
  it('show a report as a table, and lead to the same as CSV', async () => {
    const requested: string[][] = [];
    serve({
      ...LOGGED_IN,
      'GET /v1/reports/funnel': (_, url) => {
        requested.push(url.searchParams.getAll('step'));
        return ok({ ...noActivity, steps });
      },
    });
    show('/reports?report=funnel&range=7d&types=cart.opened,%20order.placed');
    const row = await screen.findByRole('row', { name: /^order.placed/ });
    expect(row).toHaveTextContent('order.placed250%50%1.5 min');
    expect(requested).toEqual([['cart.opened', 'order.placed']]);
    const csv = screen.getByRole('link', { name: 'CSV' }).getAttribute('href');
    expect(csv).toBe(
      '/v1/reports/funnel?range=7d&time_zone=Europe%2FBerlin&format=csv&step=cart.opened&step=order.placed',
    );
  });

  it('ask for types before a report that needs some, and keep the choice in the address', async () => {
    const calls = serve({
      ...LOGGED_IN,
      'GET /v1/reports/activity': ok(noActivity),
      'GET /v1/reports/paths': ok({
        ...noActivity,
        nodes: [{ depth: 0, type: 'a', count: 3 }],
        links: [],
      }),
    });
    const { user, place } = show('/reports');
    expect(await screen.findByText('Nothing in this range.')).toBeVisible();
    await user.selectOptions(screen.getByRole('combobox', { name: 'Report' }), 'Paths');
    expect(await screen.findByText('Name a type first.')).toBeVisible();
    expect(calls.some(({ route }) => route === 'GET /v1/reports/paths')).toBe(false);
    await user.type(screen.getByLabelText('Type to begin with'), 'a');
    await user.click(screen.getByRole('button', { name: 'Show' }));
    expect(await screen.findByRole('cell', { name: '3' })).toBeVisible();
    expect(place()).toBe('/reports?report=paths&range=30d&types=a');
  });

  it('hold in the address what was chosen, and ask for it', async () => {
    const requested: Record<string, string>[] = [];
    const series = [
      { bucket: '2026-11-23T00:00:00Z', group: 'team', count: 4 },
      { bucket: '2026-11-23T00:00:00Z', other: true, count: 2.5 },
      { bucket: '2026-11-30T00:00:00Z', group: 'team', count: null },
      { bucket: '2026-11-30T00:00:00Z', other: true, count: 0 },
    ];
    serve({
      ...LOGGED_IN,
      'GET /v1/reports/activity': (_, url) => {
        requested.push(Object.fromEntries(url.searchParams));
        return ok({ ...noActivity, series });
      },
    });
    const { user, place } = show(
      '/reports?measure=mean&interval=week&group_by=nothing&report=activity',
    );
    const row = await screen.findByRole('row', { name: /^Week of 23 Nov 2026/ });
    expect(row).toHaveTextContent('Week of 23 Nov 202642.5');
    expect(screen.getByRole('columnheader', { name: 'other' })).toBeVisible();
    expect(screen.getByRole('cell', { name: 'none' })).toBeVisible();
    expect(screen.getByRole('combobox', { name: 'Measure' })).toHaveValue('mean');
    await user.clear(screen.getByLabelText('Group by'));
    await user.type(screen.getByLabelText('Group by'), 'properties.plan');
    await user.type(screen.getByLabelText('Field'), 'value');
    await user.selectOptions(screen.getByLabelText('Operator'), '≥');
    await user.type(screen.getByLabelText('Value'), '10');
    await user.click(screen.getByRole('button', { name: 'Show' }));
    const address = new URLSearchParams(place().split('?')[1]);
    expect(Object.fromEntries(address)).toEqual({
      report: 'activity',
      range: '30d',
      measure: 'mean',
      interval: 'week',
      group_by: 'properties.plan',
      filter: '["gte","value",10]',
    });
    await waitFor(() => expect(requested.at(-1)).toMatchObject({ filter: '["gte","value",10]' }));
    expect(screen.getByLabelText('Value')).toHaveValue('10');
    const csv = screen.getByRole('link', { name: 'CSV' }).getAttribute('href') ?? '';
    expect(csv).toContain('&group_by=properties.plan&filter=');
    await user.selectOptions(screen.getByRole('combobox', { name: 'Measure' }), 'Activities');
    expect(place()).not.toContain('measure');
  });

  it('show what leads from one step to the next', async () => {
    const nodes = ['a', 'b'].map((type, depth) => ({ depth, type, count: 3 - depth }));
    const links = [{ from: 0, to: 1, count: 2 }];
    serve({ ...LOGGED_IN, 'GET /v1/reports/paths': ok({ ...noActivity, nodes, links }) });
    show('/reports?report=paths&types=a');
    expect(await screen.findByRole('row', { name: 'a (0) b (1) 2' })).toBeVisible();
  });

  it('say what cannot be loaded, and load it when asked again', async () => {
    const routes: Parameters<typeof serve>[0] = { ...LOGGED_IN };
    routes['GET /v1/reports/top'] = problem(403, 'scope-missing', { detail: 'Not you.' });
    serve(routes);
    const { user } = show('/reports?report=top');
    expect(await screen.findByRole('alert')).toHaveTextContent('Not you.');
    const items = [{ key: 'page.viewed', count: 1, actors: 1 }];
    routes['GET /v1/reports/top'] = ok({ ...noActivity, items });
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('cell', { name: 'page.viewed' })).toBeVisible();
  });
});
