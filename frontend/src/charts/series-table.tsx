import { formatCount } from '../format/numbers';

type Props = {
  caption: string;
  heading: string;
  columns: string[];
  rows: { key: string; name: string; counts: number[] }[];
};

/** What a chart shows, as numbers to read, copy or listen to. */
export function SeriesTable({ caption, heading, columns, rows }: Props) {
  return (
    // A table wider or longer than its place scrolls, and the keyboard must reach it (WCAG 2.1.1).
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-scroll" role="region" aria-label={caption} tabIndex={0}>
      <table className="table table-dense">
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{heading}</th>
            {columns.map((column) => (
              <th key={column} scope="col" className="number" title={column}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, counts }) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              {counts.map((count, index) => (
                <td key={columns[index]} className="number">
                  {formatCount(count)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
