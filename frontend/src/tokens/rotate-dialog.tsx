import { ConfirmDialog } from '../components/confirm-dialog';
import { Field } from '../components/field';
import { text } from '../components/form';
import { useRotateToken, type IssuedToken, type Token } from './queries';

const DAY_S = 86_400;
/** How long both tokens work, in seconds. */
const OVERLAPS: readonly [number, string][] = [
  [0, 'not at all'],
  [3_600, '1 hour'],
  [DAY_S, '1 day'],
  [7 * DAY_S, '7 days'],
  [30 * DAY_S, '30 days'],
];

type Props = { token: Token; onRotated: (issued: IssuedToken) => void; onClose: () => void };

/** Asks how long the old token stays valid beside its successor. */
export function RotateDialog({ token, onRotated, onClose }: Props) {
  const rotate = useRotateToken();
  return (
    <ConfirmDialog
      title={`Rotate “${token.name}”?`}
      keep="Not now"
      act="Rotate"
      acting="Rotating…"
      action={rotate}
      onAct={(form, close) =>
        rotate.mutate(
          { id: token.id, overlap_s: Number(text(form, 'overlap_s')) },
          {
            onSuccess: (issued) => {
              rotate.reset();
              close();
              onRotated(issued);
            },
          },
        )
      }
      onClose={onClose}
    >
      <p>
        A new token with the same name and scopes takes the place of <code>{token.prefix}…</code>,
        and its secret is shown once.
      </p>
      <Field
        label="The old token goes on working for"
        hint="Long enough to give every program the new one; its own end comes first."
      >
        {(control) => (
          <select {...control} name="overlap_s" defaultValue={DAY_S}>
            {OVERLAPS.map(([seconds, name]) => (
              <option key={seconds} value={seconds}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
    </ConfirmDialog>
  );
}
