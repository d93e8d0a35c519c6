type Option = { value: string; label: string };

/** One thing that a reader chooses for a report. The address and the API have it under the same name. */
export type Choice =
  /** One of a few values; the first one counts when nothing is chosen. */
  | { kind: 'select'; parameter: string; label: string; options: readonly [Option, ...Option[]] }
  /** A text of the reader’s own. */
  | { kind: 'text'; parameter: string; label: string; example: string }
  /** A field, an operator and a value, which are one JSON array. */
  | { kind: 'filter'; parameter: string; label: string };

/** What was chosen, by parameter. What counts by itself is left out. */
export type Chosen = Readonly<Record<string, string>>;

/** Reads from the address what was chosen; what a report does not know is left out. */
export function readChosen(choices: readonly Choice[], address: URLSearchParams): Chosen {
  const chosen: Record<string, string> = {};
  for (const choice of choices) {
    const value = address.get(choice.parameter) ?? '';
    if (isValid(choice, value)) chosen[choice.parameter] = value;
  }
  return chosen;
}

/** Reads from a form what was chosen. */
export function chosenIn(choices: readonly Choice[], form: FormData): Chosen {
  const entered = (name: string) => {
    const value = form.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const chosen: Record<string, string> = {};
  for (const choice of choices) {
    const { kind, parameter } = choice;
    const value =
      kind === 'filter'
        ? writeFilter({
            field: entered(`${parameter}-field`),
            operator: entered(`${parameter}-operator`),
            value: entered(`${parameter}-value`),
          })
        : entered(parameter);
    if (isValid(choice, value)) chosen[parameter] = value;
  }
  return chosen;
}

function isValid(choice: Choice, value: string): boolean {
  if (choice.kind === 'select') {
    return choice.options.slice(1).some((option) => option.value === value);
  }
  return choice.kind === 'filter' ? readFilter(value) !== undefined : value !== '';
}

/** The operators of a filter, with the words that a reader chooses by. */
export const OPERATORS = {
  is: 'is',
  is_not: 'is not',
  contains: 'contains',
  starts_with: 'starts with',
  gt: '>',
  gte: '≥',
  lt: '<',
  lte: '≤',
  exists: 'is there',
  not_exists: 'is not there',
} as const;

type Filter = { field: string; operator: string; value: string };

const isUnary = (operator: string) => operator === 'exists' || operator === 'not_exists';
const isComparison = (operator: string) => ['gt', 'gte', 'lt', 'lte'].includes(operator);

/** Writes a filter as the API takes it; nothing without a field, or without a value where one is needed. */
function writeFilter({ field, operator, value }: Filter): string {
  if (field === '' || (value === '' && !isUnary(operator))) return '';
  return JSON.stringify([operator, field, ...valuesOf(operator, value)]);
}

/** A text that is also a number or a truth value may mean either: the API compares by type, and takes alternatives. */
function valuesOf(operator: string, value: string): unknown[] {
  if (isUnary(operator)) return [];
  const other: unknown = /^(true|false|-?(0|[1-9]\d*)(\.\d+)?)$/.test(value)
    ? JSON.parse(value)
    : undefined;
  if (isComparison(operator)) return [other ?? value];
  const hasAlternatives = operator === 'is' || operator === 'is_not';
  return hasAlternatives && other !== undefined ? [value, other] : [value];
}

/** Reads a filter of this page's own from the address; nothing if it is another one. */
export function readFilter(text: string): Filter | undefined {
  try {
    const parts: unknown = JSON.parse(text);
    if (!Array.isArray(parts)) return undefined;
    const [operator, field, value = ''] = parts as unknown[];
    const isKnown = typeof operator === 'string' && operator in OPERATORS;
    if (!isKnown || typeof field !== 'string') return undefined;
    if (typeof value === 'string') return { field, operator, value };
    const isScalar = typeof value === 'number' || typeof value === 'boolean';
    return isScalar ? { field, operator, value: String(value) } : undefined;
  } catch {
    return undefined;
  }
}
