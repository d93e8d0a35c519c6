import { CodeLine } from '../components/code-line';
import { SecretPanel } from '../components/secret-panel';
import { curlLine } from './curl';
import type { IssuedToken } from './queries';

type Props = { issued: IssuedToken; onDone: () => void };

/** The secret of a new token. It cannot be shown again. */
export function IssuedSecret({ issued, onDone }: Props) {
  const { name, token, scopes } = issued;
  return (
    <SecretPanel
      testId="issued"
      onDone={onDone}
      title={
        <>
          “<bdi>{name}</bdi>” is ready
        </>
      }
    >
      <p className="notice notice-warning">
        <strong>Copy the token now: it is shown this once.</strong> Daybook keeps a hash of it and
        cannot show it again.
      </p>
      <CodeLine text={token} copyLabel="Copy the token" testId="token-secret" />
      <p className="code-caption">Try it in a terminal:</p>
      <CodeLine
        text={curlLine(window.location.origin, token, scopes)}
        copyLabel="Copy the curl line"
        testId="curl"
      />
    </SecretPanel>
  );
}
