import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { ResponseBody } from '../api/bodies';
import { client } from '../api/client';
import { serverNow } from '../api/clock';
import { unwrap } from '../api/problem';
import { lastHour, type Interval, type Range } from '../time/range';

export type ActivityPage = ResponseBody<'/v1/activities'>;
export type Activity = ActivityPage['items'][number];
export type Freshness = Pick<ActivityPage, 'as_of' | 'lag_ms'>;
export type ActivityReport = ResponseBody<'/v1/reports/activity'>;
export type ActiveUsersReport = ResponseBody<'/v1/reports/active-users'>;
export type ActiveUsersDay = ActiveUsersReport['days'][number];
export type TopReport = ResponseBody<'/v1/reports/top'>;

/** How often an open page is refreshed. A page in the background is not. */
const POLL_MS = 2_000;
const FEED_LENGTH = 30;

/** How often the lag of the reports is refreshed, so that what the page shows is at most two seconds old. */
const FRESHNESS_MS = 1_000;
/** When the last response is older than this, the lag is unknown. */
export const FRESHNESS_AGE_MAX_MS = 2_000;

/** How far the reports are behind the log. It bypasses every cache, because a cached response has an old lag. */
export const freshnessQuery = queryOptions({
  queryKey: ['freshness'],
  queryFn: async () => {
    const call = client.GET('/v1/activities', {
      params: { query: { limit: 1 } },
      cache: 'no-store',
    });
    const { as_of, lag_ms } = await unwrap(call);
    return { as_of, lag_ms };
  },
  refetchInterval: FRESHNESS_MS,
  // A failure is shown at once.
  retry: false,
});

/** The newest activities. */
export function feedQuery(type: string | undefined) {
  return queryOptions({
    queryKey: ['feed', type],
    queryFn: () =>
      unwrap(
        client.GET('/v1/activities', {
          params: { query: { limit: FEED_LENGTH, ...(type !== undefined && { type: [type] }) } },
        }),
      ),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });
}

/** The range of a report. The server computes it, except for the last hour, which has no name in the API. */
function windowOf(range: Range) {
  return range === '1h' ? lastHour(serverNow()) : { range };
}

type ReportOf = { range: Range; interval: Interval; type?: string | undefined; timeZone: string };

/** Counts over time by type. The range moves with the clock, so the key holds its name and not its ends. */
export function activityReportQuery({ range, interval, type, timeZone }: ReportOf) {
  return queryOptions({
    queryKey: ['report', 'activity', range, interval, type, timeZone],
    queryFn: () =>
      unwrap(
        client.GET('/v1/reports/activity', {
          params: {
            query: {
              ...windowOf(range),
              interval,
              group_by: ['type'],
              time_zone: timeZone,
              ...(type !== undefined && { type: [type] }),
            },
          },
        }),
      ),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });
}

/** The types of the range, whatever the filter is, the most frequent first: what there is to choose from. */
export function typesQuery(range: Range, timeZone: string) {
  return queryOptions({
    queryKey: ['report', 'top', 'type', range, timeZone],
    queryFn: () =>
      unwrap(
        client.GET('/v1/reports/top', {
          params: { query: { ...windowOf(range), dimension: 'type', time_zone: timeZone } },
        }),
      ),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });
}

/** Active users by day. The report is by day, so a short range shows 30 days. */
export function activeUsersQuery(range: Range, timeZone: string) {
  const shownRange = range === '12mo' ? '12mo' : '30d';
  return queryOptions({
    queryKey: ['report', 'active-users', shownRange, timeZone],
    queryFn: () =>
      unwrap(
        client.GET('/v1/reports/active-users', {
          params: { query: { range: shownRange, time_zone: timeZone } },
        }),
      ),
    refetchInterval: POLL_MS,
    placeholderData: keepPreviousData,
  });
}
