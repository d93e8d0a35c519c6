import { useState } from 'react';
import { ConfirmDialog } from '../components/confirm-dialog';
import { Field } from '../components/field';
import { text } from '../components/form';
import { useDiscardDeadLetter, type DeadLetter } from './queries';

type Props = { deadLetter: DeadLetter; onClose: () => void };

const REASON_CHARS_MAX = 500;

/** Asks for the reason of a discard, which cannot be undone. */
export function DiscardDialog({ deadLetter, onClose }: Props) {
  const discard = useDiscardDeadLetter();
  const [isMissing, setMissing] = useState(false);
  return (
    <ConfirmDialog
      title={`Discard ${deadLetter.event_type} at ${deadLetter.position}?`}
      keep="Keep it"
      act="Discard"
      acting="Discarding…"
      action={discard}
      isLoss
      onAct={(form, close) => {
        const reason = text(form, 'reason').trim();
        setMissing(reason === '');
        if (reason !== '') discard.mutate({ id: deadLetter.id, reason }, { onSuccess: close });
      }}
      onClose={onClose}
    >
      <p>
        The projection <code>{deadLetter.projection}</code> goes on without this event, for good;
        what waits behind it is folded. The history keeps the event, and who discarded it and why.
      </p>
      <Field label="Reason" error={isMissing ? 'Say why' : undefined}>
        {(control) => <textarea {...control} name="reason" rows={3} maxLength={REASON_CHARS_MAX} />}
      </Field>
    </ConfirmDialog>
  );
}
