import { describe, expect, it } from 'vitest';
import { ExactNumber, parseExact, printExact } from './exact';

describe('a number that is read', () => {
  it.each([
    '9007199254740993',
    '-20000000000000000001',
    '0.00001',
    '0.0000001',
    '1.0',
    '1e2',
    '1E+2',
    '-0',
    '1e300',
    '1e400',
    '12.50',
    '0.1000000000000000055511151231257827',
  ])('%s is written as it was sent, wherever it stands', (number) => {
    for (const text of [
      number,
      `[${number}]`,
      `{"a":{"b":[1,${number}]}}`,
      `{"${number}":"${number}"}`,
    ]) {
      expect(printExact(parseExact(text))).toBe(text);
    }
  });

  it('can be calculated with if JavaScript would write it in the same digits', () => {
    expect(parseExact('{"count":12345,"share":0.25}')).toEqual({ count: 12345, share: 0.25 });
    expect(Number(parseExact('1e2'))).toBe(100);
  });
});

describe('what is written on many lines', () => {
  it('is what JSON.stringify writes, but for its numbers', () => {
    const text = '{"a":[1,{"b":[]}],"c":{},"d":"x"}';
    expect(printExact(parseExact(text), '  ')).toBe(JSON.stringify(JSON.parse(text), null, 2));
    expect(printExact(parseExact('{"a":1.0}'), '  ')).toBe('{\n  "a": 1.0\n}');
  });
});

describe('what only looks like a number or a mark', () => {
  it.each([
    String.raw`{"a":"x \" 1.0 \\","b":"1.0"}`,
    String.raw`["\\",1,"\"1.0"]`,
    '{"__proto__":1,"constructor":"2.0"}',
    '{"":"","a":null,"b":[true,false,{}]}',
  ])('%s is left alone', (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text);
  });

  it('is no number if it is no JSON', () => {
    for (const text of ['', '01', '1.', '{"a":1.0,}', '[1e]']) {
      expect(() => parseExact(text)).toThrow(SyntaxError);
    }
  });

  it('is a number where a number is sent as an object', () => {
    expect(parseExact('1.0')).toBeInstanceOf(ExactNumber);
    expect(parseExact('{"n":"1.0"}')).toEqual({ n: '1.0' });
  });
});
