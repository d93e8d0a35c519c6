import { printExact } from '../api/exact';
import { useRetryDeadLetter, type DeadLetter } from './queries';
import { refusal } from '../api/problem';
import { formatCount } from '../format/numbers';
import { formatAgo, formatFull } from '../format/times';

type Props = {
  letters: DeadLetter[];
  /** Whether there are more than are shown. */
  isCut: boolean;
  timeZone: string;
  now: number;
  onDiscard: (letter: DeadLetter) => void;
};

/** Events that a projection could not fold, each with what can be done about it. */
export function DeadLetterList({ letters, isCut, timeZone, now, onDiscard }: Props) {
  return (
    <>
      <ul className="letters">
        {letters.map((letter) => (
          <Letter key={letter.id} {...{ letter, timeZone, now, onDiscard }} />
        ))}
      </ul>
      {isCut && <p className="panel-foot">Only the first {letters.length} are shown.</p>}
    </>
  );
}

type LetterProps = { letter: DeadLetter } & Pick<Props, 'timeZone' | 'now' | 'onDiscard'>;

function Letter({ letter, timeZone, now, onDiscard }: LetterProps) {
  const retry = useRetryDeadLetter();
  const { attempts, event_type, position, projection, reason, set_aside_at, waiting } = letter;
  const name = `${event_type} at ${position} of ${projection}`;
  return (
    <li className="letter" data-testid="dead-letter">
      <div className="letter-head">
        <strong>{event_type}</strong>
        <span className="badge">{projection}</span>
        <span className="letter-facts">
          position {formatCount(position)} · set aside{' '}
          <time dateTime={set_aside_at} title={formatFull(set_aside_at, timeZone)}>
            {formatAgo(set_aside_at, now)}
          </time>{' '}
          · tried {attempts === 1 ? 'once' : `${formatCount(attempts)} times`}
          {waiting > 0 && ` · ${formatCount(waiting)} waiting behind it`}
        </span>
      </div>
      <p className="letter-reason">{reason}</p>
      <details>
        <summary>Payload</summary>
        <pre className="letter-payload">{printExact(letter.payload, '  ')}</pre>
      </details>
      {retry.isError && (
        <p className="form-error" role="alert">
          {refusal(retry.error)}
        </p>
      )}
      <div className="letter-buttons">
        <button
          type="button"
          className="button button-small"
          aria-label={`Retry ${name}`}
          disabled={retry.isPending}
          onClick={() => retry.mutate(letter.id)}
        >
          {retry.isPending ? 'Retrying…' : 'Retry'}
        </button>
        <button
          type="button"
          className="button button-small button-danger"
          aria-label={`Discard ${name}`}
          onClick={() => onDiscard(letter)}
        >
          Discard
        </button>
      </div>
    </li>
  );
}
