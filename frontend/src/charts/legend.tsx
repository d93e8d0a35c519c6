export type Entry = { name: string; slot: number | string; value: string };

/** Names, colours and amounts: the legend of a chart and the content of its tooltip. */
export function Legend({ entries }: { entries: readonly Entry[] }) {
  return (
    <ul className="legend">
      {entries.map(({ name, slot, value }) => (
        <li key={name}>
          <Swatch slot={slot} />
          <span className="legend-name" title={name}>
            {name}
          </span>
          <span className="legend-value">{value}</span>
        </li>
      ))}
    </ul>
  );
}

export function Swatch({ slot }: { slot: number | string }) {
  return <span className={`swatch series-${slot}`} aria-hidden="true" />;
}
