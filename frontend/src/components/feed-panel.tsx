import type { UseQueryResult } from '@tanstack/react-query';
import type { ActivityPage } from '../api/reports';
import { Feed } from './feed';
import { Loaded, SkeletonLines } from './loaded';
import { Panel } from './panel';

const SKELETON_LINES = 12;

type Props = {
  query: UseQueryResult<ActivityPage>;
  type: string | undefined;
  slots: Map<string, number>;
  timeZone: string;
  onShowAll: () => void;
};

/** The newest activities, whatever the range. */
export function FeedPanel({ query, type, slots, timeZone, onShowAll }: Props) {
  return (
    <Panel title="Recent" aside={type ?? 'all types'} className="panel-feed">
      <Loaded query={query} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
        {({ items }) =>
          items.length > 0 ? (
            <Feed items={items} slots={slots} timeZone={timeZone} />
          ) : (
            <div className="nothing">
              <p>{type === undefined ? 'No activities yet.' : `No activities of type ${type}.`}</p>
              {type !== undefined && (
                <button type="button" className="button" onClick={onShowAll}>
                  Show all types
                </button>
              )}
            </div>
          )
        }
      </Loaded>
    </Panel>
  );
}
