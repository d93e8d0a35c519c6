import { useEffect, useId, useRef } from 'react';
import { refusal } from '../api/problem';
import { useRevokeToken, type Token } from '../api/tokens';

type Props = { token: Token; onClose: () => void };

/** Asks before a token is revoked: it cannot be taken back. */
export function RevokeDialog({ token, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const revoke = useRevokeToken();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  // Closed and not just taken away, so that the browser puts the focus back where it was.
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={title} onClose={onClose}>
      <h2 id={title}>Revoke “{token.name}”?</h2>
      <p>
        Programs that use <code>{token.prefix}…</code> are refused within a second. This cannot be
        taken back; what they recorded stays.
      </p>
      {revoke.isError && (
        <p className="form-error" role="alert">
          {refusal(revoke.error)}
        </p>
      )}
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={close}>
          Keep it
        </button>
        <button
          type="button"
          className="button button-danger-solid"
          disabled={revoke.isPending}
          onClick={() => revoke.mutate(token.id, { onSuccess: close })}
        >
          {revoke.isPending ? 'Revoking…' : 'Revoke'}
        </button>
      </div>
    </dialog>
  );
}
