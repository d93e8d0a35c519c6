import { useEffect, useRef } from 'react';
import type { IssuedToken } from './queries';
import { curlLine } from './curl';
import { CodeLine } from '../components/code-line';

type Props = { issued: IssuedToken; onDone: () => void };

/** A new token's secret. Nobody, and no other page, can show it again. */
export function IssuedSecret({ issued, onDone }: Props) {
  const { name, token, scopes } = issued;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="panel panel-secret" aria-labelledby="issued" data-testid="issued">
      <h2 id="issued" ref={heading} tabIndex={-1}>
        “<bdi>{name}</bdi>” is ready
      </h2>
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
      <p>
        <button type="button" className="button" onClick={onDone}>
          I have kept it
        </button>
      </p>
    </section>
  );
}
