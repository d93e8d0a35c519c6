import { ScrollTable } from '../components/scroll-table';
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
    <ScrollTable label={caption}>
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
    </ScrollTable>
  );
}
