import { describe, expect, it } from 'vitest';
import { activeUsersWindow, RANGES, reportWindow } from './range';
import { today } from './zone';

const BERLIN = 'Europe/Berlin';
const HOUR_MS = 3_600_000;

const hours = ({ from, to }: { from: string; to: string }) =>
  (Date.parse(to) - Date.parse(from)) / HOUR_MS;

describe('the window of a range', () => {
  it.each(RANGES)('has the newest activity in it: %s', (range) => {
    const now = new Date('2026-11-24T21:30:15.250Z');
    const { from, to } = reportWindow(range, now, BERLIN);
    expect(Date.parse(from)).toBeLessThan(now.getTime());
    expect(Date.parse(to)).toBeGreaterThan(now.getTime());
  });

  it('has thirty days where one of them has no midnight', () => {
    for (const day of [6, 7, 30]) {
      const now = new Date(`2026-09-${String(day).padStart(2, '0')}T15:00:00Z`);
      const { from, to } = reportWindow('30d', now, 'America/Santiago');
      const first = new Date(Date.UTC(2026, 8, day - 29)).toISOString().slice(0, 10);
      const last = now.toISOString().slice(0, 10);
      expect(
        [from, Date.parse(to) - 1].map((time) => today('America/Santiago', new Date(time))),
      ).toEqual([first, last]);
    }
  });

  it('ends with the running minute or hour', () => {
    const now = new Date('2026-11-24T21:30:15Z');
    expect(reportWindow('1h', now, BERLIN)).toEqual({
      from: '2026-11-24T20:31:00.000Z',
      to: '2026-11-24T21:31:00.000Z',
    });
    expect(reportWindow('24h', now, BERLIN).to).toBe('2026-11-24T22:00:00.000Z');
  });

  it('has full hours in a zone that is half an hour off', () => {
    const now = new Date('2026-11-24T21:10:00Z');
    expect(reportWindow('24h', now, 'Asia/Kolkata').to).toBe('2026-11-24T21:30:00.000Z');
  });

  it('begins and ends at midnight of the zone, whose days are not all of 24 hours', () => {
    // The clocks of Berlin went back on 25 October 2026, so that one of these days had 25 hours.
    const window = reportWindow('30d', new Date('2026-11-05T12:00:00Z'), BERLIN);
    expect(window).toEqual({ from: '2026-10-06T22:00:00.000Z', to: '2026-11-05T23:00:00.000Z' });
    expect(hours(window)).toBe(30 * 24 + 1);
  });

  it('is an hour short over the days on which the clocks go forward', () => {
    const window = reportWindow('30d', new Date('2026-04-01T12:00:00Z'), BERLIN);
    expect(window).toEqual({ from: '2026-03-02T23:00:00.000Z', to: '2026-04-01T22:00:00.000Z' });
    expect(hours(window)).toBe(30 * 24 - 1);
  });

  it('begins the seven days at midnight on the day of the change itself', () => {
    const window = reportWindow('7d', new Date('2026-10-25T10:30:00Z'), BERLIN);
    expect(window).toEqual({ from: '2026-10-18T22:00:00.000Z', to: '2026-10-25T11:00:00.000Z' });
  });

  it('begins twelve months at the first of the month, over the turn of the year', () => {
    const window = reportWindow('12mo', new Date('2026-03-10T12:00:00Z'), BERLIN);
    expect(window.from).toBe('2025-03-31T22:00:00.000Z');
  });

  it('is that of a month for active users, however short the range', () => {
    const now = new Date('2026-11-24T12:00:00Z');
    expect(activeUsersWindow('1h', now, BERLIN)).toEqual(reportWindow('30d', now, BERLIN));
    expect(activeUsersWindow('12mo', now, BERLIN)).toEqual(reportWindow('12mo', now, BERLIN));
  });
});
