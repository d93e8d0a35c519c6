import { CodeLine } from '../components/code-line';
import { SecretPanel } from '../components/secret-panel';
import { formatDay } from '../format/times';
import type { Invited } from './queries';

type Props = { invited: Invited; timeZone: string; onDone: () => void };

/** The link of a new invitation. It cannot be shown again. */
export function InvitedLink({ invited, timeZone, onDone }: Props) {
  const { email, role, invite_url, expires_at } = invited;
  return (
    <SecretPanel
      testId="invited"
      onDone={onDone}
      title={
        <>
          <bdi>{email}</bdi> is invited as {role}
        </>
      }
    >
      <p className="notice notice-warning">
        <strong>Copy the link now: it is shown this once.</strong> Whoever has it can join in their
        place, once, until {formatDay(expires_at, timeZone)}.
      </p>
      <CodeLine text={absolute(invite_url)} copyLabel="Copy the link" testId="invite-link" />
    </SecretPanel>
  );
}

/** A server without a configured public URL returns only the path; its origin is that of this page. */
function absolute(url: string): string {
  return new URL(url, window.location.origin).href;
}
