/** Shown until the session is known. */
export function Splash() {
  return (
    <p className="splash" role="status">
      <span className="visually-hidden">Loading</span>
      <img src="/favicon.svg" alt="" width="34" height="34" />
    </p>
  );
}
