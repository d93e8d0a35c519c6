import { errorText } from '../api/problem';
import type { Session, useLogOut } from '../api/session';

type Props = {
  /** The session whose pages this window has shown. */
  before: Session;
  /** The present session of the browser. */
  now: Session;
  logOut: ReturnType<typeof useLogOut>;
  onGoOn: () => void;
};

/** Shown when another window has logged in as somebody else, instead of pages of the wrong customer. */
export function OtherSession({ before, now, logOut, onGoOn }: Props) {
  return (
    <main className="lone" data-testid="other-session">
      <h1>This browser is logged in as somebody else now</h1>
      <p role="alert">
        Another window has logged in as <bdi>{now.member.email}</bdi> of{' '}
        <bdi>{now.customer.name}</bdi>. This window was <bdi>{before.member.email}</bdi> of{' '}
        <bdi>{before.customer.name}</bdi>; nothing of it was changed or mixed up.
      </p>
      {logOut.isError && <p className="form-error">{errorText(logOut.error)}</p>}
      <p className="lone-actions">
        <button type="button" className="button button-primary" onClick={onGoOn}>
          Go on as the other one
        </button>
        <button
          type="button"
          className="button"
          disabled={logOut.isPending}
          onClick={() => logOut.mutate()}
        >
          Log out everywhere in this browser
        </button>
      </p>
    </main>
  );
}
