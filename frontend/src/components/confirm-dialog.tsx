import { useEffect, useId, useRef, type ReactNode } from 'react';
import { errorText } from '../api/problem';

type Props = {
  title: string;
  /** What the answers are called. */
  keep: string;
  act: string;
  acting: string;
  /** How it is going; the dialog stays and says why if it does not succeed. */
  action: { isPending: boolean; isError: boolean; error: unknown };
  /** Whether something is lost by it. */
  isLoss?: boolean;
  onAct: (form: FormData, close: () => void) => void;
  onClose: () => void;
  children: ReactNode;
};

/** Asks before something is done. */
export function ConfirmDialog(props: Props) {
  const { title, keep, act, acting, action, isLoss = false, onAct, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  // Closed and not just taken away, so that the browser puts the focus back where it was.
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onAct(new FormData(event.currentTarget), close);
        }}
      >
        <h2 id={titleId}>{title}</h2>
        {children}
        {action.isError && (
          <p className="form-error" role="alert">
            {errorText(action.error)}
          </p>
        )}
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={close}>
            {keep}
          </button>
          <button
            className={`button ${isLoss ? 'button-danger-solid' : 'button-primary'}`}
            disabled={action.isPending}
          >
            {action.isPending ? acting : act}
          </button>
        </div>
      </form>
    </dialog>
  );
}
