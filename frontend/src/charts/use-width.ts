import { useCallback, useState, type RefCallback } from 'react';

const WIDTH_BEFORE_MEASURING = 720;

/** The width of the element that gets the ref, in pixels, as it changes. */
export function useWidth<E extends Element>(): [RefCallback<E>, number] {
  const [width, setWidth] = useState(WIDTH_BEFORE_MEASURING);
  const ref = useCallback((node: E | null) => {
    if (node === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.width > 0) setWidth(entry.contentRect.width);
    });
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
