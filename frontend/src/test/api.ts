import { afterEach, vi } from 'vitest';
import type { Session } from '../api/session';
import type { DeadLetter, Projections } from '../operations/queries';
import type {
  ActiveUsersReport,
  ActivityPage,
  ActivityReport,
  TopReport,
} from '../overview/queries';
import type { IssuedToken, Token } from '../tokens/queries';

type Answer = { status: number; body?: unknown; text?: string; date?: string };
type Handler = (body: unknown, url: URL) => Answer;
export type Call = { route: string; body: unknown; headers: Headers };

afterEach(() => vi.unstubAllGlobals());

/** Responds to the calls of a page by `METHOD /path`; returns the list of calls. */
export function serve(routes: Record<string, Answer | Handler>): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const route = `${request.method} ${new URL(request.url).pathname}`;
    const text = await request.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    calls.push({ route, body, headers: request.headers });
    const known = routes[route];
    if (known === undefined) throw new Error(`no answer for ${route}`);
    const {
      status,
      body: answer,
      ...sent
    } = typeof known === 'function' ? known(body, new URL(request.url)) : known;
    const isProblem = status >= 400;
    const content = sent.text ?? (answer === undefined ? null : JSON.stringify(answer));
    return new Response(content, {
      status,
      headers: {
        'content-type': isProblem ? 'application/problem+json' : 'application/json',
        ...(sent.date !== undefined && { date: sent.date }),
      },
    });
  });
  return calls;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });

export const problem = (status: number, name: string, rest: object = {}): Answer => ({
  status,
  body: { type: `https://daybook.invalid/problems/${name}`, title: name, status, ...rest },
});

export const session: Session = {
  customer: { id: 'c1', name: 'Ledger & Co', time_zone: 'Europe/Berlin' },
  member: { id: 'm1', email: 'ada@example.com', role: 'owner' },
  scopes: ['ingest', 'read', 'audit', 'admin'],
  csrf_token: 'csrf-1',
};

export const token: Token = {
  id: 't1',
  name: 'nightly import',
  prefix: 'dbk_4f0A',
  scopes: ['ingest'],
  created_at: '2026-11-01T10:00:00Z',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  public: false,
};

export const issued: IssuedToken = {
  ...token,
  customer_id: 'c1',
  token: 'dbk_4f0ASECRETSECRETSECRETSECRETSECRETSE',
};

export const projections: Projections = {
  items: [
    {
      name: 'activities',
      version: 1,
      generation: 1,
      building_generation: null,
      position: 1_042,
      recorded_at: '2026-11-24T10:00:00Z',
      lag_events: 0,
      lag_ms: 0,
      dead_letters: 0,
      waiting: 0,
    },
  ],
  partition: 3,
  published_position: 1_042,
  job: null,
};

export const deadLetter: DeadLetter = {
  id: 'activities-3-1042',
  projection: 'activities',
  partition: 3,
  position: 1_042,
  customer_id: 'c1',
  aggregate_id: 'c1:order-1042-paid',
  sequence: 1,
  event_type: 'ActivityRecorded',
  event_version: '9.0.0',
  recorded_at: '2026-11-24T10:00:00Z',
  reason: 'unknown event type ActivityRecorded of version 9.0.0',
  attempts: 1,
  set_aside_at: '2026-11-24T10:00:01Z',
  attempted_at: '2026-11-24T10:00:01Z',
  waiting: 2,
  payload: {},
};

const progress = { customer_id: 'c1', as_of: { position: 0, time: null }, lag_ms: 0 };

export const noFeed: ActivityPage = { items: [], next_cursor: null, ...progress };
export const noActivity: ActivityReport = {
  total: 0,
  series: [],
  ...progress,
};
export const noUsers: ActiveUsersReport = {
  days: [{ date: '2026-11-24', daily: 0, weekly: 0, monthly: 0, stickiness: null }],
  ...progress,
};

export const noTypes: TopReport = { items: [], ...progress };

/** The reports of a customer who has recorded nothing. */
export const EMPTY = {
  'GET /v1/activities': ok(noFeed),
  'GET /v1/reports/activity': ok(noActivity),
  'GET /v1/reports/active-users': ok(noUsers),
  'GET /v1/reports/top': ok(noTypes),
};
