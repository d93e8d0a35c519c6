import type { ReactNode } from 'react';

type Props = {
  label: string;
  /** Undefined while it is loading. */
  value: string | undefined;
  note: ReactNode;
  testId: string;
};

/** One number, what it counts and over which time. */
export function Stat({ label, value, note, testId }: Props) {
  return (
    <div className="stat">
      <dt>{label}</dt>
      <dd>
        <span className="stat-value" data-testid={testId}>
          {value ?? <span className="skeleton skeleton-value" />}
        </span>
        <span className="stat-note">{note}</span>
      </dd>
    </div>
  );
}
