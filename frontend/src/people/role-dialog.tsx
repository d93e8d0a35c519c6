import { ConfirmDialog } from '../components/confirm-dialog';
import { text } from '../components/form';
import { useChangeRole, type Member } from './queries';
import { RoleChoice } from './role-choice';
import { roleOf } from './roles';

type Props = { member: Member; isMe: boolean; onClose: () => void };

/** Asks for the new role of a member. */
export function RoleDialog({ member, isMe, onClose }: Props) {
  const change = useChangeRole();
  return (
    <ConfirmDialog
      title={`What is ${member.email} here for?`}
      keep="Leave it"
      act="Change the role"
      acting="Changing…"
      action={change}
      onAct={(form, close) => {
        const role = roleOf(text(form, 'role')) ?? member.role;
        if (role === member.role) close();
        else change.mutate({ id: member.id, role }, { onSuccess: close });
      }}
      onClose={onClose}
    >
      <p>
        It counts within a second, where they are logged in too.
        {isMe && ' This is you: only another owner could make you owner again.'}
      </p>
      <RoleChoice name="role" chosen={member.role} />
    </ConfirmDialog>
  );
}
