import { useEffect, useRef, type ReactNode } from 'react';

type Props = { testId: string; title: ReactNode; onDone: () => void; children: ReactNode };

/** A secret that is shown once, until the reader says that it is saved. */
export function SecretPanel({ testId, title, onDone, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="panel panel-secret" aria-labelledby={testId} data-testid={testId}>
      <h2 id={testId} ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
      <p>
        <button type="button" className="button" onClick={onDone}>
          I have kept it
        </button>
      </p>
    </section>
  );
}
