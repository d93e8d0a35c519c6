import { useId, type ReactNode } from 'react';

type Props = { title: string; aside?: ReactNode; className?: string; children: ReactNode };

/** A part of a page with a title of its own. */
export function Panel({ title, aside, className = '', children }: Props) {
  const id = useId();
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div className="panel-aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
