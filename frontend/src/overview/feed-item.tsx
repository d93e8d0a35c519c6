import { printExact } from '../api/exact';
import { Swatch } from '../charts/legend';
import { Facts } from '../components/facts';
import { Time } from '../components/time';
import { formatAgo, formatFull } from '../format/times';
import type { Activity } from './queries';

type Props = { activity: Activity; slot: number; isNew: boolean; now: number; timeZone: string };

/** One activity on a line; opened, all its fields. */
export function FeedItem({ activity, slot, isNew, now, timeZone }: Props) {
  const { id, type, actor, occurred_at, recorded_at, value, properties, context } = activity;
  return (
    <li className={isNew ? 'feed-item is-new' : 'feed-item'} data-testid="feed-item">
      <details>
        <summary>
          <Swatch slot={slot} />
          <span className="feed-type" title={type}>
            {type}
          </span>
          <Time className="feed-time" at={occurred_at} timeZone={timeZone}>
            {formatAgo(occurred_at, now)}
          </Time>
          <span className="feed-actor" title={actor}>
            {actor}
          </span>
          {value != null && <span className="feed-value">{printExact(value)}</span>}
        </summary>
        <div className="feed-more">
          <Facts title="Properties" facts={properties} />
          <Facts title="Context" facts={context} />
          <Facts
            title="In the log"
            facts={{
              id,
              type,
              actor,
              ...(value != null && { value }),
              occurred: formatFull(occurred_at, timeZone),
              recorded: formatFull(recorded_at, timeZone),
              place: `partition ${activity.partition}, position ${activity.position}`,
            }}
          />
        </div>
      </details>
    </li>
  );
}
