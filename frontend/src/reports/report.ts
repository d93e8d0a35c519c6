import type { Range } from '../time/range';

/** A range that the server knows by name. */
export type NamedRange = Exclude<Range, '1h'>;
export type Asked = { range: NamedRange; time_zone: string };
export type Table = { columns: string[]; rows: string[][] };

/** All that the page knows of a report. */
export type Report = {
  /** The last part of its address in the API. */
  path: string;
  title: string;
  about: string;
  /** Which types it must be told, if any: how the parameter is called, and how many there are. */
  types?: { parameter: 'step' | 'start'; label: string; min: number; max: number };
  ask: (asked: Asked, types: string[]) => Promise<Table>;
};

/** Where the same answer is to be had as CSV. */
export function csvAddress({ path, types }: Report, asked: Asked, named: string[]): string {
  const query = new URLSearchParams({ ...asked, format: 'csv' });
  if (types !== undefined) for (const type of named) query.append(types.parameter, type);
  return `/v1/reports/${path}?${query.toString()}`;
}
