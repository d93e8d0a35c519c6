import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failure } from './failure';

type Props<T> = {
  query: UseQueryResult<T>;
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
};

/** What a query has brought; what it brought before stays, dimmed, until the new is there. */
export function Loaded<T>({ query, skeleton, children }: Props<T>) {
  if (query.data !== undefined) {
    return (
      <div
        className={query.isPlaceholderData ? 'is-old' : undefined}
        aria-busy={query.isPlaceholderData}
      >
        {children(query.data)}
      </div>
    );
  }
  if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return (
    <div role="status">
      <span className="visually-hidden">Loading</span>
      {skeleton}
    </div>
  );
}

/** Grey lines in the place of text that is on its way. */
export function SkeletonLines({ count }: { count: number }) {
  return (
    <div className="skeleton-lines" aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <span key={index} className="skeleton" />
      ))}
    </div>
  );
}
