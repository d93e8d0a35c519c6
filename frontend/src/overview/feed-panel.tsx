import type { UseQueryResult } from '@tanstack/react-query';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { Feed } from './feed';
import type { ActivityPage } from './queries';

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
    <Panel
      title="Recent"
      aside={type === undefined ? 'all types' : <bdi>{type}</bdi>}
      className="panel-feed"
    >
      <Loaded query={query} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
        {({ items }) =>
          items.length > 0 ? (
            <Feed items={items} slots={slots} timeZone={timeZone} />
          ) : (
            <div className="nothing">
              {type === undefined ? (
                <p>No activities yet.</p>
              ) : (
                <p>
                  No activities of type <bdi>{type}</bdi>.
                </p>
              )}
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
