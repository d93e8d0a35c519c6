/** How far the server's clock is ahead of this one, as its last answer said; its `Date` is whole seconds. */
let aheadMs = 0;
/** What an answer needs on its way, and the second that is not told. Less is not worth a correction. */
const UNSURE_MS = 2_000;

/** Learns the server's time from an answer's `Date`. */
export function setServerDate(date: string | null) {
  const said = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(said)) return;
  const differenceMs = said - Date.now();
  aheadMs = Math.abs(differenceMs) <= UNSURE_MS ? 0 : differenceMs;
}

/** The present time in milliseconds by the server's clock: this browser's may be wrong. */
export const serverNow = () => Date.now() + aheadMs;
