import { useEffect, useState } from 'react';
import { serverNow } from '../api/clock';

/** The time by the server's clock, or by another one, renewed every `periodMs` milliseconds. */
export function useNow(periodMs: number, clock: () => number = serverNow): number {
  const [now, setNow] = useState(clock);
  useEffect(() => {
    const timer = setInterval(() => setNow(clock()), periodMs);
    return () => clearInterval(timer);
  }, [periodMs, clock]);
  return now;
}
