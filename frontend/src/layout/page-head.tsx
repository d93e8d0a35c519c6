import type { ReactNode } from 'react';
import { usePageTitle } from './use-page-title';

/** A page's name, also in the tab, and what stands beside it. */
export function PageHead({ title, children }: { title: string; children: ReactNode }) {
  usePageTitle(title);
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
