import { useState } from 'react';
import { serverNow } from '../api/clock';
import { useNow } from '../components/use-now';
import { FeedItem } from './feed-item';
import type { Activity } from './queries';

const TICK_MS = 1_000;

type Props = { items: Activity[]; slots: Map<string, number>; timeZone: string };

/** The newest activities, the latest first. */
export function Feed({ items, slots, timeZone }: Props) {
  const now = useNow(TICK_MS);
  // Only activities that arrive while the page is open are highlighted.
  const [opened] = useState(() => serverNow());
  return (
    <ol className="feed" data-testid="feed">
      {items.map((activity) => (
        <FeedItem
          key={activity.id}
          activity={activity}
          slot={slots.get(activity.type) ?? 0}
          isNew={Date.parse(activity.recorded_at) > opened}
          now={now}
          timeZone={timeZone}
        />
      ))}
    </ol>
  );
}
