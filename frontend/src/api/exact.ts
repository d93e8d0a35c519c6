/** A number that JavaScript would write with other digits, kept as the text that was sent. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The nearest double, for calculations. */
  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }
}

/** A string, which is left alone, or a number. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Random, so that no text that is sent contains it. */
const MARK = crypto.getRandomValues(new Uint32Array(4)).join('-');

/**
 * Reads JSON without changing a number: 9007199254740993, 1.0 and 1e2 keep their digits.
 *
 * Such a number is replaced by an object of one member before `JSON.parse`.
 */
export function parseExact(text: string): unknown {
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : `{"${MARK}":"${token}"}`,
  );
  return JSON.parse(marked, (_, value: unknown) => {
    const exact = isObject(value) ? value[MARK] : undefined;
    return typeof exact === 'string' ? new ExactNumber(exact) : value;
  });
}

/** Writes what `parseExact` has read, on one line or, with `space`, on many. */
export function printExact(value: unknown, space = '', margin = ''): string {
  if (value instanceof ExactNumber) return value.text;
  const inner = margin + space;
  const wrap = (open: string, parts: string[], close: string) => {
    if (space === '' || parts.length === 0) return open + parts.join(',') + close;
    return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${margin}${close}`;
  };
  if (Array.isArray(value)) {
    return wrap(
      '[',
      value.map((item) => printExact(item, space, inner)),
      ']',
    );
  }
  if (!isObject(value)) return JSON.stringify(value);
  const colon = space === '' ? ':' : ': ';
  const members = Object.entries(value).map(
    ([name, member]) => JSON.stringify(name) + colon + printExact(member, space, inner),
  );
  return wrap('{', members, '}');
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
