import { ConfirmDialog } from '../components/confirm-dialog';
import { useRevokeToken, type Token } from './queries';

type Props = { token: Token; onClose: () => void };

/** Asks before a token is revoked, which cannot be undone. */
export function RevokeDialog({ token, onClose }: Props) {
  const revoke = useRevokeToken();
  return (
    <ConfirmDialog
      title={`Revoke “${token.name}”?`}
      keep="Keep it"
      act="Revoke"
      acting="Revoking…"
      action={revoke}
      isLoss
      onAct={(_form, close) => revoke.mutate(token.id, { onSuccess: close })}
      onClose={onClose}
    >
      <p>
        Programs that use <code>{token.prefix}…</code> are refused within a second. This cannot be
        taken back; what they recorded stays.
      </p>
    </ConfirmDialog>
  );
}
