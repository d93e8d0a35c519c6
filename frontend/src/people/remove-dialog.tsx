import { ConfirmDialog } from '../components/confirm-dialog';
import { useRemoveMember, type Member } from './queries';

type Props = { member: Member; isMe: boolean; onClose: () => void };

/** Asks before somebody is removed. */
export function RemoveDialog({ member, isMe, onClose }: Props) {
  const remove = useRemoveMember();
  return (
    <ConfirmDialog
      title={`Remove ${member.email}?`}
      keep="Keep them"
      act="Remove"
      acting="Removing…"
      action={remove}
      isLoss
      onAct={(_form, close) => remove.mutate(member.id, { onSuccess: close })}
      onClose={onClose}
    >
      <p>
        {isMe ? 'This is you. You are' : 'They are'} logged out everywhere at once, and links that
        they invited somebody with are good no more. Tokens that they made go on working.
      </p>
    </ConfirmDialog>
  );
}
