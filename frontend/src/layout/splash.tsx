/** While it is not known yet who is there. */
export function Splash() {
  return (
    <p className="splash" role="status">
      <span className="visually-hidden">Loading</span>
      <img src="/favicon.svg" alt="" width="34" height="34" />
    </p>
  );
}
