import type { UseQueryResult } from '@tanstack/react-query';
import { useNow } from '../components/use-now';
import { formatCount } from '../format/numbers';
import { formatFull, formatLag } from '../format/times';
import { RANGE_INFO, type Range } from '../time/range';
import {
  FRESHNESS_AGE_MAX_MS,
  type ActiveUsersReport,
  type ActivityReport,
  type Freshness,
} from './queries';
import { Stat } from './stat';

const TICK_MS = 500;

type Props = {
  range: Range;
  type: string | undefined;
  timeZone: string;
  activity: ActivityReport | undefined;
  activeUsers: ActiveUsersReport | undefined;
  freshness: UseQueryResult<Freshness>;
};

/** The numbers one looks for first. */
export function Stats({ range, type, timeZone, activity, activeUsers, freshness }: Props) {
  const now = useNow(TICK_MS, Date.now);
  const today = activeUsers?.days.at(-1);
  const count = (number: number | null | undefined) =>
    number == null ? undefined : formatCount(number);
  const upTo = freshness.data?.as_of.time ?? undefined;
  return (
    <dl className="stats">
      <Stat
        label={type === undefined ? 'Activities' : `Activities: ${type}`}
        value={count(activity?.total)}
        note={`in ${RANGE_INFO[range].sentence}`}
        testId="total"
      />
      <Stat label="Active today" value={count(today?.daily)} note="users" testId="active-daily" />
      <Stat
        label="Active 7 days"
        value={count(today?.weekly)}
        note="users, with today"
        testId="active-weekly"
      />
      <Stat
        label="Active 30 days"
        value={count(today?.monthly)}
        note="users, with today"
        testId="active-monthly"
      />
      <Stat
        label="Reports"
        value={freshness.data && lagNow(freshness.data.lag_ms, now - freshness.dataUpdatedAt)}
        note={upTo === undefined ? 'nothing recorded yet' : `as of ${formatFull(upTo, timeZone)}`}
        testId="lag"
      />
    </dl>
  );
}

/** How far behind the reports are, as long as that is known. */
function lagNow(lagMs: number, ageMs: number): string {
  return ageMs > FRESHNESS_AGE_MAX_MS ? 'Not known' : formatLag(lagMs);
}
