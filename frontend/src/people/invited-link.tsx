import { useEffect, useRef } from 'react';
import type { Invited } from './queries';
import { formatDay } from '../format/times';
import { CodeLine } from '../components/code-line';

type Props = { invited: Invited; timeZone: string; onDone: () => void };

/** The link of a new invitation. Nobody, and no other page, can show it again. */
export function InvitedLink({ invited, timeZone, onDone }: Props) {
  const { email, role, invite_url, expires_at } = invited;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="panel panel-secret" aria-labelledby="invited" data-testid="invited">
      <h2 id="invited" ref={heading} tabIndex={-1}>
        <bdi>{email}</bdi> is invited as {role}
      </h2>
      <p className="notice notice-warning">
        <strong>Copy the link now: it is shown this once.</strong> Whoever has it can join in their
        place, once, until {formatDay(expires_at, timeZone)}.
      </p>
      <CodeLine text={absolute(invite_url)} copyLabel="Copy the link" testId="invite-link" />
      <p>
        <button type="button" className="button" onClick={onDone}>
          I have kept it
        </button>
      </p>
    </section>
  );
}

/** A server that does not know where it is reached answers the path alone; we are where it is reached. */
function absolute(url: string): string {
  return new URL(url, window.location.origin).href;
}
