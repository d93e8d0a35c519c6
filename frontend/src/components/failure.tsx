import { describeError } from '../api/problem';

type Props = { error: unknown; onRetry: () => unknown };

/** Shown in place of something that could not be loaded. */
export function Failure({ error, onRetry }: Props) {
  const { title, text } = describeError(error);
  return (
    <div className="failure" role="alert">
      <p className="failure-title">{title}</p>
      <p>{text}</p>
      <button type="button" className="button" onClick={() => void onRetry()}>
        Try again
      </button>
    </div>
  );
}
