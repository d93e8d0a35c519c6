import type { ReactNode } from 'react';
import { formatFull } from '../format/times';

type Props = { at: string; timeZone: string; className?: string; children: ReactNode };

/** A time in a few words; the full time is its tooltip. */
export function Time({ at, timeZone, className, children }: Props) {
  return (
    <time className={className} dateTime={at} title={formatFull(at, timeZone)}>
      {children}
    </time>
  );
}
