import { describe, expect, it } from 'vitest';
import { endOfDay, startOfDay, timeZones, today } from './zone';

describe('a day of a zone', () => {
  it('begins an hour late where midnight is skipped', () => {
    // Beirut went from 23:59:59 to 01:00 on 29 March 2026.
    const start = startOfDay('Asia/Beirut', 2026, 3, 29);
    expect(start.toISOString()).toBe('2026-03-28T22:00:00.000Z');
  });

  it.each([
    // Santiago skips the first hour of 6 September 2026, and shows the last one of 4 April twice.
    ['America/Santiago', 2026, 9, 6, '2026-09-06T04:00:00.000Z'],
    ['America/Santiago', 2026, 9, 7, '2026-09-07T03:00:00.000Z'],
    ['America/Santiago', 2026, 4, 5, '2026-04-05T04:00:00.000Z'],
    // Havana shows the first hour of 1 November 2026 twice.
    ['America/Havana', 2026, 11, 1, '2026-11-01T04:00:00.000Z'],
    // Apia left out 30 December 2011.
    ['Pacific/Apia', 2011, 12, 30, '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', 2011, 12, 31, '2011-12-30T10:00:00.000Z'],
    ['Australia/Lord_Howe', 2026, 10, 4, '2026-10-03T13:30:00.000Z'],
  ])('begins with its first moment: %s %i-%i-%i', (zone, year, month, day, moment) => {
    expect(startOfDay(zone, year, month, day).toISOString()).toBe(moment);
  });

  it('is named by its own clocks', () => {
    const moment = new Date('2026-11-24T23:30:00Z');
    expect(today('Europe/Berlin', moment)).toBe('2026-11-25');
    expect(today('America/New_York', moment)).toBe('2026-11-24');
  });

  it('is over when the next one begins', () => {
    expect(endOfDay('Europe/Berlin', '2026-12-31')).toBe('2026-12-31T23:00:00.000Z');
    expect(endOfDay('Europe/Berlin', '2026-10-24')).toBe('2026-10-24T22:00:00.000Z');
    expect(endOfDay('Europe/Berlin', '2026-10-25')).toBe('2026-10-25T23:00:00.000Z');
  });
});

it('UTC can be chosen as a zone', () => {
  expect(timeZones()).toContain('UTC');
});
