import { printExact } from '../api/exact';

/** The members of a JSON object as names and values; nothing if there are none. */
export function Facts({ title, facts }: { title: string; facts: unknown }) {
  if (typeof facts !== 'object' || facts === null) return null;
  const members = Object.entries(facts);
  if (members.length === 0) return null;
  return (
    <>
      <p className="facts-title">{title}</p>
      <dl className="facts">
        {members.map(([name, value]: [string, unknown]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? value : printExact(value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
