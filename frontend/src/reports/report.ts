import type { Range } from '../time/range';
import type { Chosen, Choice } from './choices';

/** A range that the server knows by name. */
export type NamedRange = Exclude<Range, '1h'>;
export type ReportQuery = { range: NamedRange; time_zone: string };
/** One of the tables that a report is shown as; only a second one needs a title. */
export type Table = { title?: string; columns: string[]; rows: string[][] };

/** All that the page knows of a report. */
export type Report = {
  /** The last part of its address in the API. */
  path: string;
  title: string;
  about: string;
  /** What the reader may choose beside the range. */
  choices?: readonly Choice[];
  /** Which types it needs, if any: how the parameter is called, and how many there are. */
  types?: { parameter: 'step' | 'start'; label: string; min: number; max: number };
  load: (query: ReportQuery, types: string[], chosen: Chosen) => Promise<Table[]>;
};

/** The address of the same report as CSV. */
export function csvAddress(
  { path, types, choices = [] }: Report,
  query: ReportQuery,
  named: string[],
  chosen: Chosen,
): string {
  const address = new URLSearchParams({ ...query, format: 'csv' });
  for (const { parameter } of choices) {
    const value = chosen[parameter];
    if (value !== undefined) address.set(parameter, value);
  }
  if (types !== undefined) for (const type of named) address.append(types.parameter, type);
  return `/v1/reports/${path}?${address.toString()}`;
}
