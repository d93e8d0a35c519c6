type Props = {
  columns: readonly string[];
  /** What the last column, of buttons, is called for those who cannot see them. */
  buttons?: string | undefined;
};

/** The head of a table: a name over each column. */
export function TableHead({ columns, buttons }: Props) {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <th key={column} scope="col">
            {column}
          </th>
        ))}
        {buttons !== undefined && (
          <th scope="col">
            <span className="visually-hidden">{buttons}</span>
          </th>
        )}
      </tr>
    </thead>
  );
}
