import type { UseQueryResult } from '@tanstack/react-query';
import { SeriesTable } from '../charts/series-table';
import { Loaded } from '../components/loaded';
import { Panel } from '../components/panel';
import { formatBucket } from '../format/times';
import { RANGE_INFO, type Range } from '../time/range';
import { ActiveUsersChart, CALENDAR, LINES } from './active-users-chart';
import type { ActiveUsersReport } from './queries';

type Props = { query: UseQueryResult<ActiveUsersReport>; range: Range; asTable: boolean };

/** Active users by day. The report is by day, so a short range shows 30 days. */
export function ActiveUsersPanel({ query, range, asTable }: Props) {
  const shown = RANGE_INFO[range === '12mo' ? '12mo' : '30d'].sentence;
  return (
    <Panel title="Active users" aside={`by day, ${shown}, all types`}>
      <Loaded query={query} skeleton={<span className="skeleton skeleton-chart" />}>
        {({ days }) =>
          asTable ? (
            <SeriesTable
              caption="Active users by day"
              heading="day"
              columns={LINES.map(({ name }) => name)}
              rows={days.toReversed().map((day) => ({
                key: day.date,
                name: formatBucket(day.date, 'day', CALENDAR),
                counts: LINES.map(({ key }) => day[key]),
              }))}
            />
          ) : (
            <ActiveUsersChart days={days} />
          )
        }
      </Loaded>
    </Panel>
  );
}
