import type { UseQueryResult } from '@tanstack/react-query';
import { describeError } from '../api/problem';
import { formatClock } from '../format/times';

type Props = { queries: readonly UseQueryResult[]; timeZone: string };

/** Says that the page can no longer be refreshed, and since when. */
export function StaleNotice({ queries, timeZone }: Props) {
  const stale = queries.filter((query) => query.isError && query.data !== undefined);
  const [first] = stale;
  if (first === undefined) return null;
  const since = Math.min(...stale.map((query) => query.dataUpdatedAt));
  const { title, text } = describeError(first.error);
  return (
    <p className="notice notice-warning" role="status">
      <strong>{title}.</strong> You see what was known at{' '}
      {formatClock(new Date(since).toISOString(), timeZone)}. {text}
    </p>
  );
}
