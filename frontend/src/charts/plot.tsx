import { useState, type PointerEvent, type ReactNode } from 'react';
import { formatCompact } from '../format/numbers';
import { valueTicks } from './scale';
import { useWidth } from './use-width';

const HEIGHT = 240;
const TOP = 10;
const RIGHT = 6;
const BOTTOM = 26;
const DIGIT = 7.5;

/** The coordinates of a plot: `x(i)` is the middle of column `i`, which is `step` wide. */
export type Frame = {
  x: (index: number) => number;
  y: (value: number) => number;
  step: number;
  bottom: number;
};

type Props = {
  /** The text for screen readers. */
  summary: string;
  length: number;
  max: number;
  /** Which columns have a label on the axis, given how many labels fit. */
  labels: (labelsMax: number) => { index: number; text: string }[];
  tooltip: (index: number) => ReactNode;
  children: (frame: Frame, active: number | undefined) => ReactNode;
};

const LABEL_WIDTH = 58;

/** Axes, grid and tooltip; the caller draws the data. */
export function Plot({ summary, length, max, labels, tooltip, children }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [active, setActive] = useState<number>();

  const ticks = valueTicks(max);
  const tickTexts = ticks.map(formatCompact);
  const left = Math.ceil(Math.max(...tickTexts.map((text) => text.length)) * DIGIT) + 10;
  const top = ticks.at(-1) ?? 1;
  const step = Math.max(0, width - left - RIGHT) / Math.max(1, length);
  const bottom = HEIGHT - BOTTOM;
  const frame: Frame = {
    x: (index) => left + (index + 0.5) * step,
    y: (value) => bottom - (value / top) * (bottom - TOP),
    step,
    bottom,
  };

  const follow = (event: PointerEvent<SVGSVGElement>) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const index = Math.floor((at - left) / step);
    setActive(index >= 0 && index < length ? index : undefined);
  };
  const shown = active !== undefined && active < length ? active : undefined;

  return (
    <div className="plot" ref={ref}>
      <svg
        role="img"
        aria-label={summary}
        width={width}
        height={HEIGHT}
        onPointerMove={follow}
        onPointerDown={follow}
        onPointerLeave={() => setActive(undefined)}
      >
        {ticks.map((tick, index) => (
          <g key={tick}>
            <line
              className={tick === 0 ? 'plot-base' : 'plot-grid'}
              x1={left}
              x2={width - RIGHT}
              y1={frame.y(tick)}
              y2={frame.y(tick)}
            />
            <text
              className="plot-label"
              x={left - 8}
              y={frame.y(tick)}
              dy="0.32em"
              textAnchor="end"
            >
              {tickTexts[index]}
            </text>
          </g>
        ))}
        {labels(Math.max(2, Math.floor((width - left) / LABEL_WIDTH))).map(({ index, text }) => {
          // A label in the middle of the last column may cross the edge.
          const x = Math.min(frame.x(index), width - (text.length * DIGIT) / 2);
          return (
            <text key={index} className="plot-label" x={x} y={HEIGHT - 7} textAnchor="middle">
              {text}
            </text>
          );
        })}
        {shown !== undefined && (
          <rect
            className="plot-band"
            x={frame.x(shown) - step / 2}
            y={TOP}
            width={step}
            height={bottom - TOP}
          />
        )}
        {children(frame, shown)}
      </svg>
      {shown !== undefined && (
        <div
          className={frame.x(shown) > width / 2 ? 'tooltip tooltip-left' : 'tooltip'}
          style={{ left: frame.x(shown) }}
        >
          {tooltip(shown)}
        </div>
      )}
    </div>
  );
}
