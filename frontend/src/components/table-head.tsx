type Props = {
  columns: readonly string[];
  /** The name of the last column, of buttons; only screen readers show it. */
  buttons?: string | undefined;
};

/** The head of a table, with a name for each column. */
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
