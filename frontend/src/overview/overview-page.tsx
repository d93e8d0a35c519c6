import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useSession } from '../layout/members-only';
import { PageHead } from '../layout/page-head';
import { ActiveUsersPanel } from './active-users-panel';
import { ActivityPanel } from './activity-panel';
import { FeedPanel } from './feed-panel';
import { FilterBar } from './filter-bar';
import { readFilters, writeFilters, type Filters } from './filters';
import { FirstSteps } from './first-steps';
import {
  activeUsersQuery,
  activityReportQuery,
  feedQuery,
  freshnessQuery,
  typesQuery,
} from './queries';
import { slotsOf, typesOf } from './series';
import { StaleNotice } from './stale-notice';
import { Stats } from './stats';

export function OverviewPage() {
  const { customer, scopes } = useSession();
  const timeZone = customer.time_zone;
  const [address, setAddress] = useSearchParams();
  const filters = readFilters(address);
  const { range, interval, type } = filters;
  // The first steps show the new token, so they stay until the reader closes them.
  const [keepsFirstSteps, setKeepsFirstSteps] = useState(false);

  const activity = useQuery(activityReportQuery({ range, interval, type, timeZone }));
  const types = useQuery(typesQuery(range, timeZone));
  const activeUsers = useQuery(activeUsersQuery(range, timeZone));
  const feed = useQuery(feedQuery(type));
  const freshness = useQuery(freshnessQuery);

  const slots = slotsOf(types.data);
  const isNew = type === undefined && feed.data?.items.length === 0 && activity.data?.total === 0;
  const change = (changed: Filters) =>
    setAddress(writeFilters(changed), { preventScrollReset: true });

  return (
    <>
      <PageHead title="Overview">
        <FilterBar filters={filters} types={typesOf(types.data)} onChange={change} />
      </PageHead>
      <StaleNotice queries={[activity, activeUsers, feed]} timeZone={timeZone} />
      <Stats
        range={range}
        type={type}
        timeZone={timeZone}
        activity={activity.data}
        activeUsers={activeUsers.data}
        freshness={freshness}
      />
      {(isNew || keepsFirstSteps) && (
        <FirstSteps
          mayIssue={scopes.includes('admin') && scopes.includes('ingest')}
          hasArrived={!isNew}
          onIssued={() => setKeepsFirstSteps(true)}
          onDone={() => setKeepsFirstSteps(false)}
        />
      )}
      {!isNew && (
        <div className="overview">
          <div className="overview-main">
            <ActivityPanel query={activity} filters={filters} slots={slots} timeZone={timeZone} />
            <ActiveUsersPanel query={activeUsers} range={range} asTable={filters.asTable} />
          </div>
          <FeedPanel
            query={feed}
            type={type}
            slots={slots}
            timeZone={timeZone}
            onShowAll={() => change({ ...filters, type: undefined })}
          />
        </div>
      )}
      <p className="page-foot">
        Days, weeks and months are those of {timeZone.replaceAll('_', ' ')}.
      </p>
    </>
  );
}
