import { useState } from 'react';
import { errorText } from '../api/problem';
import { CodeLine } from '../components/code-line';
import { Panel } from '../components/panel';
import { curlLine, TOKEN_PLACEHOLDER } from '../tokens/curl';
import { useIssueToken, type Scope } from '../tokens/queries';

const FIRST_TOKEN = { name: 'First token', scopes: ['ingest'] satisfies Scope[] };

type Props = {
  mayIssue: boolean;
  /** Whether the first activity has been received. */
  hasArrived: boolean;
  onDone: () => void;
  onIssued: () => void;
};

/** What a new customer does first: make a token, paste a line, see it arrive. */
export function FirstSteps({ mayIssue, hasArrived, onDone, onIssued }: Props) {
  const issue = useIssueToken();
  const [token, setToken] = useState<string>();
  const make = () =>
    issue.mutate(FIRST_TOKEN, {
      onSuccess: (issued) => {
        setToken(issued.token);
        onIssued();
      },
    });

  return (
    <Panel title="Send your first activity" className="first-steps">
      <ol className="steps" data-testid="first-steps">
        <li className={token === undefined ? 'step step-now' : 'step step-done'}>
          <p className="step-title">Make a token</p>
          {token !== undefined ? (
            <p>
              The line below has it. It is shown this once: keep it, or make others on the token
              page.
            </p>
          ) : mayIssue ? (
            <>
              <p>Programs show it with every call. This one may record activities, nothing else.</p>
              <button
                type="button"
                className="button button-primary"
                disabled={issue.isPending}
                onClick={make}
              >
                {issue.isPending ? 'Making…' : 'Make a token'}
              </button>
              {issue.isError && (
                <p className="field-error" role="alert">
                  {errorText(issue.error)}
                </p>
              )}
            </>
          ) : (
            <p>Your role cannot make tokens. Ask an owner or an engineer for one.</p>
          )}
        </li>
        <li
          className={hasArrived ? 'step step-done' : token === undefined ? 'step' : 'step step-now'}
        >
          <p className="step-title">Paste this into a terminal</p>
          <CodeLine
            text={curlLine(window.location.origin, token ?? TOKEN_PLACEHOLDER, ['ingest'])}
            copyLabel="Copy the curl line"
            testId="curl"
          />
        </li>
        <li className={hasArrived ? 'step step-done' : 'step'}>
          <p className="step-title">See it here</p>
          <p role="status" className={hasArrived ? undefined : 'waiting'}>
            {hasArrived
              ? 'It is in. From here on this page shows what arrives.'
              : 'Waiting for the first activity. This page shows it by itself.'}
          </p>
          {hasArrived && (
            <button type="button" className="button" onClick={onDone}>
              Done
            </button>
          )}
        </li>
      </ol>
    </Panel>
  );
}
