import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { deadLetter, ok, problem, projections, serve, session } from '../test/api';
import { show } from '../test/show';

const page = (...items: unknown[]) => ok({ items, next_cursor: null });
const KNOWN = { 'GET /v1/session': ok(session), 'GET /v1/projections': ok(projections) };
const RESOLVED = { id: deadLetter.id, folded: 3, stopped_at: null };

describe('operations', () => {
  it('tell how far the projections are, and that there is no dead letter', async () => {
    serve({ ...KNOWN, 'GET /v1/dead-letters': page() });
    show('/operations');
    expect(await screen.findByTestId('no-dead-letters')).toHaveTextContent('No dead letters');
    expect(await screen.findByTestId('projections')).toHaveTextContent('up to date');
    expect(screen.getByTestId('job')).toHaveTextContent(
      'partition 3, published up to 1,042. No job waits.',
    );
  });

  it('tell of a job that fails and of what is left to fold', async () => {
    const behind = {
      ...projections.items[0],
      lag_events: 7,
      lag_ms: 90_000,
      dead_letters: 1,
      waiting: 2,
    };
    const job = { run_at: '2026-11-24T10:00:00Z', attempts: 4 };
    serve({
      ...KNOWN,
      'GET /v1/projections': ok({ ...projections, items: [behind], job }),
      'GET /v1/dead-letters': page(),
    });
    show('/operations');
    expect(await screen.findByTestId('projections')).toHaveTextContent('1, 2 waiting');
    expect(screen.getByTestId('job')).toHaveTextContent('The job has failed 4 times');
  });

  it('are shown to nobody without the scope admin, and not asked for', async () => {
    const member = { ...session.member, role: 'analyst' };
    const calls = serve({ 'GET /v1/session': ok({ ...session, member, scopes: ['read'] }) });
    show('/operations');
    expect(await screen.findByTestId('no-admin')).toHaveTextContent('logged in as analyst');
    expect(calls.map(({ route }) => route)).toEqual(['GET /v1/session']);
  });

  it('retry a dead letter, or say why it failed again', async () => {
    const routes: Parameters<typeof serve>[0] = {
      ...KNOWN,
      'GET /v1/dead-letters': page(deadLetter),
      'POST /v1/dead-letters/activities-3-1042/retry': problem(409, 'dead-letter-failed', {
        detail: 'The event still cannot be folded: no room.',
      }),
    };
    serve(routes);
    const { user } = show('/operations');
    const item = await screen.findByTestId('dead-letter');
    expect(item).toHaveTextContent(deadLetter.reason);
    expect(item).toHaveTextContent('tried once · 2 waiting behind it');
    await user.click(
      screen.getByRole('button', { name: 'Retry ActivityRecorded at 1042 of activities' }),
    );
    expect(await screen.findByRole('alert')).toHaveTextContent('still cannot be folded: no room.');

    routes['POST /v1/dead-letters/activities-3-1042/retry'] = () => {
      routes['GET /v1/dead-letters'] = page();
      return ok(RESOLVED);
    };
    await user.click(screen.getByRole('button', { name: /^Retry/ }));
    expect(await screen.findByTestId('no-dead-letters')).toBeVisible();
  });

  it('discard a dead letter for a reason, and for none nothing', async () => {
    const routes: Parameters<typeof serve>[0] = {
      ...KNOWN,
      'GET /v1/dead-letters': page(deadLetter),
      'POST /v1/dead-letters/activities-3-1042/discard': () => {
        routes['GET /v1/dead-letters'] = page();
        return ok(RESOLVED);
      },
    };
    const calls = serve(routes);
    const { user } = show('/operations');
    await user.click(await screen.findByRole('button', { name: /^Discard/ }));
    const dialog = within(screen.getByRole('dialog'));
    await user.click(dialog.getByRole('button', { name: 'Discard' }));
    expect(dialog.getByLabelText('Reason')).toHaveAccessibleDescription('Say why.');
    await user.type(dialog.getByLabelText('Reason'), 'sent by a test');
    await user.click(dialog.getByRole('button', { name: 'Discard' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
    expect(await screen.findByTestId('no-dead-letters')).toBeVisible();
    const sent = calls.filter(({ route }) => route.endsWith('/discard'));
    expect(sent.map(({ body }) => body)).toEqual([{ reason: 'sent by a test' }]);
  });

  it('say when they cannot be told', async () => {
    const gone = problem(500, 'internal-error');
    serve({ ...KNOWN, 'GET /v1/projections': gone, 'GET /v1/dead-letters': gone });
    show('/operations');
    expect(await screen.findAllByRole('alert', undefined, { timeout: 15_000 })).toHaveLength(2);
  }, 20_000);
});
