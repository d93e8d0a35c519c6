import { useState } from 'react';
import { useDiscardDeadLetter, type DeadLetter } from './queries';
import { text } from '../components/form';
import { Labelled } from '../components/field';
import { Question } from '../components/confirm-dialog';

type Props = { letter: DeadLetter; onClose: () => void };

const REASON_CHARS_MAX = 500;

/** Asks why a projection shall go on without an event: it cannot be taken back. */
export function DiscardDialog({ letter, onClose }: Props) {
  const discard = useDiscardDeadLetter();
  const [isMissing, setMissing] = useState(false);
  return (
    <Question
      title={`Discard ${letter.event_type} at ${letter.position}?`}
      keep="Keep it"
      act="Discard"
      acting="Discarding…"
      action={discard}
      isLoss
      onAct={(form, close) => {
        const reason = text(form, 'reason').trim();
        setMissing(reason === '');
        if (reason !== '') discard.mutate({ id: letter.id, reason }, { onSuccess: close });
      }}
      onClose={onClose}
    >
      <p>
        The projection <code>{letter.projection}</code> goes on without this event, for good; what
        waits behind it is folded. The history keeps the event, and who discarded it and why.
      </p>
      <Labelled label="Reason" error={isMissing ? 'Say why' : undefined}>
        {(control) => <textarea {...control} name="reason" rows={3} maxLength={REASON_CHARS_MAX} />}
      </Labelled>
    </Question>
  );
}
