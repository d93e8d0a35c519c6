import type { UseQueryResult } from '@tanstack/react-query';
import { SeriesTable } from '../charts/series-table';
import { Loaded } from '../components/loaded';
import { Panel } from '../components/panel';
import { formatBucket } from '../format/times';
import { RANGE_INFO } from '../time/range';
import { ActivityChart } from './activity-chart';
import type { Filters } from './filters';
import type { ActivityReport } from './queries';
import { toSeries } from './series';

type Props = {
  query: UseQueryResult<ActivityReport>;
  filters: Filters;
  slots: Map<string, number>;
  timeZone: string;
};

/** Activities over time by type, as a chart or as a table. */
export function ActivityPanel({ query, filters, slots, timeZone }: Props) {
  const { range, interval, asTable } = filters;
  return (
    <Panel title="Activity" aside={`by ${interval}, ${RANGE_INFO[range].sentence}`}>
      <Loaded query={query} skeleton={<span className="skeleton skeleton-chart" />}>
        {(report) => {
          const series = toSeries(report, slots);
          if (report.total === 0) {
            return <p className="nothing">No activities in {RANGE_INFO[range].sentence}.</p>;
          }
          if (!asTable) {
            return <ActivityChart series={series} interval={interval} timeZone={timeZone} />;
          }
          return (
            <SeriesTable
              caption="Activities over time"
              heading={interval}
              columns={['All', ...series.groups.map(({ name }) => name)]}
              rows={series.rows.toReversed().map(({ bucket, total, counts }) => ({
                key: bucket,
                name: formatBucket(bucket, interval, timeZone),
                counts: [total, ...counts],
              }))}
            />
          );
        }}
      </Loaded>
    </Panel>
  );
}
