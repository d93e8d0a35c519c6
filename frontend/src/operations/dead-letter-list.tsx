import { printExact } from '../api/exact';
import { errorText } from '../api/problem';
import { RowButton } from '../components/row-button';
import { Time } from '../components/time';
import { formatCount } from '../format/numbers';
import { formatAgo } from '../format/times';
import { useRetryDeadLetter, type DeadLetter } from './queries';

type Props = {
  deadLetters: DeadLetter[];
  /** Whether there are more than are shown. */
  isCut: boolean;
  timeZone: string;
  now: number;
  onDiscard: (deadLetter: DeadLetter) => void;
};

/** Events that a projection could not fold, each with what can be done about it. */
export function DeadLetterList({ deadLetters, isCut, timeZone, now, onDiscard }: Props) {
  return (
    <>
      <ul className="dead-letters">
        {deadLetters.map((deadLetter) => (
          <DeadLetterItem key={deadLetter.id} {...{ deadLetter, timeZone, now, onDiscard }} />
        ))}
      </ul>
      {isCut && <p className="panel-foot">Only the first {deadLetters.length} are shown.</p>}
    </>
  );
}

type ItemProps = { deadLetter: DeadLetter } & Pick<Props, 'timeZone' | 'now' | 'onDiscard'>;

function DeadLetterItem({ deadLetter, timeZone, now, onDiscard }: ItemProps) {
  const retry = useRetryDeadLetter();
  const { attempts, event_type, position, projection, reason, set_aside_at, waiting } = deadLetter;
  const name = `${event_type} at ${position} of ${projection}`;
  return (
    <li className="dead-letter" data-testid="dead-letter">
      <div className="dead-letter-head">
        <strong>{event_type}</strong>
        <span className="badge">{projection}</span>
        <span className="dead-letter-facts">
          position {formatCount(position)} · set aside{' '}
          <Time at={set_aside_at} timeZone={timeZone}>
            {formatAgo(set_aside_at, now)}
          </Time>{' '}
          · tried {attempts === 1 ? 'once' : `${formatCount(attempts)} times`}
          {waiting > 0 && ` · ${formatCount(waiting)} waiting behind it`}
        </span>
      </div>
      <p className="dead-letter-reason">{reason}</p>
      <details>
        <summary>Payload</summary>
        <pre className="dead-letter-payload">{printExact(deadLetter.payload, '  ')}</pre>
      </details>
      {retry.isError && (
        <p className="form-error" role="alert">
          {errorText(retry.error)}
        </p>
      )}
      <div className="dead-letter-buttons">
        <RowButton
          label={`Retry ${name}`}
          disabled={retry.isPending}
          onClick={() => retry.mutate(deadLetter.id)}
        >
          {retry.isPending ? 'Retrying…' : 'Retry'}
        </RowButton>
        <RowButton isLoss label={`Discard ${name}`} onClick={() => onDiscard(deadLetter)}>
          Discard
        </RowButton>
      </div>
    </li>
  );
}
