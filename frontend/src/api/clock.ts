/** How far the server's clock is ahead of this one, by the `Date` of its last response, which is in whole seconds. */
let aheadMs = 0;
/** A smaller difference may be the time of the response on the network and the rounding of `Date`; it is ignored. */
const UNCERTAINTY_MS = 2_000;

/** Sets the server's time from the `Date` of a response. */
export function setServerDate(date: string | null) {
  const said = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(said)) return;
  const differenceMs = said - Date.now();
  aheadMs = Math.abs(differenceMs) <= UNCERTAINTY_MS ? 0 : differenceMs;
}

/** The present time in milliseconds by the server's clock: this browser's may be wrong. */
export const serverNow = () => Date.now() + aheadMs;
