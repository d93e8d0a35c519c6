import { describe, expect, it } from 'vitest';
import { endOfDay, startOfDay, timeZones, today } from './zone';

describe('a day of a zone', () => {
  it('begins an hour late where midnight is skipped', () => {
    // Beirut went from 23:59:59 to 01:00 on 29 March 2026.
    const start = startOfDay('Asia/Beirut', 2026, 3, 29);
    expect(start.toISOString()).toBe('2026-03-28T22:00:00.000Z');
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
