import type { ReactNode } from 'react';
import { formatFull } from '../format/times';

type Props = { at: string; timeZone: string; className?: string; children: ReactNode };

/** A moment in a few words; the whole of it shows under the pointer. */
export function Time({ at, timeZone, className, children }: Props) {
  return (
    <time className={className} dateTime={at} title={formatFull(at, timeZone)}>
      {children}
    </time>
  );
}
