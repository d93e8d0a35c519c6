const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** A length of time in its largest unit: 90 → 1.5 min. */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null) return 'none';
  const [unit, length] =
    seconds < MINUTE_S
      ? (['s', 1] as const)
      : seconds < HOUR_S
        ? (['min', MINUTE_S] as const)
        : seconds < DAY_S
          ? (['h', HOUR_S] as const)
          : (['d', DAY_S] as const);
  return `${Math.round((seconds / length) * 10) / 10} ${unit}`;
}
