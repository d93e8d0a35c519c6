import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failure } from './failure';

type Props<T> = {
  query: UseQueryResult<T>;
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
};

/** The result of a query. While a new one loads, the previous result stays, dimmed. */
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

/** Grey lines in place of text that is loading. */
export function SkeletonLines({ count }: { count: number }) {
  return (
    <div className="skeleton-lines" aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <span key={index} className="skeleton" />
      ))}
    </div>
  );
}
