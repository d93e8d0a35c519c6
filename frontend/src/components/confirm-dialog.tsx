import { useEffect, useId, useRef, type ReactNode } from 'react';
import { errorText } from '../api/problem';

type Props = {
  title: string;
  /** The labels of the buttons; `acting` is shown while it runs. */
  keep: string;
  act: string;
  acting: string;
  /** The mutation; if it fails, the dialog stays open and shows the error. */
  action: { isPending: boolean; isError: boolean; error: unknown };
  /** Whether the action loses something. */
  isLoss?: boolean;
  onAct: (form: FormData, close: () => void) => void;
  onClose: () => void;
  children: ReactNode;
};

/** Asks for a confirmation. */
export function ConfirmDialog(props: Props) {
  const { title, keep, act, acting, action, isLoss = false, onAct, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  // Closed before it is unmounted, so that the browser restores the focus.
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
