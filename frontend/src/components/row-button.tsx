import type { ReactNode } from 'react';

type Props = {
  /** What it does and to what, for those who cannot see the row. */
  label: string;
  isLoss?: boolean;
  disabled?: boolean;
  onClick: () => void;
  children: ReactNode;
};

/** A small button in a row of a table or of a list. */
export function RowButton({ label, isLoss = false, disabled = false, onClick, children }: Props) {
  return (
    <button
      type="button"
      className={isLoss ? 'button button-small button-danger' : 'button button-small'}
      aria-label={label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
