import type { ReactNode } from 'react';

/** A table wider or longer than its place: it scrolls, and the keyboard reaches it (WCAG 2.1.1). */
export function ScrollTable({ label, children }: { label: string; children: ReactNode }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-scroll" role="region" aria-label={label} tabIndex={0}>
      <table className="table table-dense">{children}</table>
    </div>
  );
}
