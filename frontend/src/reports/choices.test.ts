import { describe, expect, it } from 'vitest';
import { chosenIn, readChosen, readFilter, type Choice } from './choices';

const CHOICES: Choice[] = [
  {
    kind: 'select',
    parameter: 'measure',
    label: 'Measure',
    options: [
      { value: 'count', label: 'Activities' },
      { value: 'actors', label: 'Actors' },
    ],
  },
  { kind: 'text', parameter: 'group_by', label: 'Group by', example: 'type' },
  { kind: 'filter', parameter: 'filter', label: 'Only where' },
];

function form(fields: Record<string, string>) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

describe('what is chosen for a report', () => {
  it.each([
    [['properties.plan', 'is', 'team'], '["is","properties.plan","team"]'],
    [['properties.seats', 'is', '5'], '["is","properties.seats","5",5]'],
    [['properties.trial', 'is_not', 'true'], '["is_not","properties.trial","true",true]'],
    [['properties.sku', 'is', '007'], '["is","properties.sku","007"]'],
    [['properties.sku', 'starts_with', '12'], '["starts_with","properties.sku","12"]'],
    [['value', 'lt', '2.5'], '["lt","value",2.5]'],
    [['value', 'exists', ''], '["exists","value"]'],
  ])('%j is the filter %s, and is read from the address again', (entered, filter) => {
    const [field, operator, value] = entered as [string, string, string];
    const fields = { 'filter-field': field, 'filter-operator': operator, 'filter-value': value };
    expect(chosenIn(CHOICES, form(fields))).toEqual({ filter });
    expect(readFilter(filter)).toEqual({ field, operator, value });
    expect(readChosen(CHOICES, new URLSearchParams({ filter }))).toEqual({ filter });
  });

  it('has no filter without a field, or without a value where one is needed', () => {
    const empty = { 'filter-field': '', 'filter-operator': 'exists', 'filter-value': 'x' };
    const short = { 'filter-field': 'value', 'filter-operator': 'gt', 'filter-value': ' ' };
    for (const fields of [empty, short]) expect(chosenIn(CHOICES, form(fields))).toEqual({});
  });

  it('leaves out of the address what counts by itself, and what nobody knows', () => {
    const address = new URLSearchParams('measure=count&group_by=&filter=["or","a"]&x=1');
    expect(readChosen(CHOICES, address)).toEqual({});
    const known = new URLSearchParams('measure=actors&group_by=type');
    expect(readChosen(CHOICES, known)).toEqual({ measure: 'actors', group_by: 'type' });
  });
});
