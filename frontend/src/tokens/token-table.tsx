import { RowButton } from '../components/row-button';
import { TableHead } from '../components/table-head';
import { Time } from '../components/time';
import { formatAgo, formatDay, formatFull } from '../format/times';
import type { Scope, Token } from './queries';
import { stateOf } from './token-state';

type Props = {
  tokens: Token[];
  /** Whether there are more than are shown. */
  isCut: boolean;
  timeZone: string;
  now: number;
  /** Whoever rotates learns a secret, so nobody rotates a token that can do more than they may give. */
  mine: readonly Scope[];
  onRotate: (token: Token) => void;
  onRevoke: (token: Token) => void;
};

const COLUMNS = ['Name', 'Token', 'Scopes', 'Created', 'Last used', 'Expires'];

/** The customer's tokens, the newest first; those that have ended too. */
export function TokenTable({ tokens, isCut, timeZone, now, mine, onRotate, onRevoke }: Props) {
  return (
    <>
      <table className="table table-cards">
        <TableHead columns={COLUMNS} buttons="State" />
        <tbody>
          {tokens.map((token) => (
            <Row key={token.id} {...{ token, timeZone, now, mine, onRotate, onRevoke }} />
          ))}
        </tbody>
      </table>
      {isCut && <p className="panel-foot">Only the newest {tokens.length} are shown.</p>}
    </>
  );
}

type RowProps = { token: Token } & Pick<
  Props,
  'timeZone' | 'now' | 'mine' | 'onRotate' | 'onRevoke'
>;

function Row({ token, timeZone, now, mine, onRotate, onRevoke }: RowProps) {
  const state = stateOf(token, now);
  const { created_at, last_used_at, expires_at, revoked_at } = token;
  return (
    <tr className={state === 'active' ? undefined : 'is-ended'} data-testid="token-row">
      <th scope="row">
        <bdi>{token.name}</bdi>
      </th>
      <td data-label="Token">
        <code>{token.prefix}…</code>
      </td>
      <td data-label="Scopes">
        <span className="scopes">
          {token.scopes.map((scope) => (
            <span key={scope} className={`scope scope-${scope}`}>
              {scope}
            </span>
          ))}
          {token.public && (
            <span className="badge" title={token.allowed_origins?.join(', ')}>
              public
            </span>
          )}
        </span>
      </td>
      <td data-label="Created">
        <Time at={created_at} timeZone={timeZone}>
          {formatDay(created_at, timeZone)}
        </Time>
      </td>
      <td data-label="Last used">
        {last_used_at == null ? (
          'never'
        ) : (
          <Time at={last_used_at} timeZone={timeZone}>
            {formatAgo(last_used_at, now)}
          </Time>
        )}
      </td>
      <td data-label="Expires">
        {expires_at == null ? (
          'never'
        ) : (
          <Time at={expires_at} timeZone={timeZone}>
            {formatDay(expires_at, timeZone)}
          </Time>
        )}
      </td>
      <td className="row-actions">
        {state === 'active' ? (
          <>
            {token.scopes.every((scope) => mine.includes(scope)) && (
              <RowButton label={`Rotate ${token.name}`} onClick={() => onRotate(token)}>
                Rotate
              </RowButton>
            )}
            <RowButton isLoss label={`Revoke ${token.name}`} onClick={() => onRevoke(token)}>
              Revoke
            </RowButton>
          </>
        ) : (
          <span
            className="badge"
            title={revoked_at != null ? formatFull(revoked_at, timeZone) : ''}
          >
            {state}
          </span>
        )}
      </td>
    </tr>
  );
}
