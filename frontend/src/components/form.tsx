import { useEffect, useRef, type ReactNode } from 'react';
import type { FormErrors } from '../api/problem';

type Props = {
  label: string;
  errors: FormErrors;
  onSubmit: (form: FormData) => void;
  children: ReactNode;
};

/** A form that shows its errors itself, and moves the focus to the first field that has one. */
export function Form({ label, errors, onSubmit, children }: Props) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [errors]);
  return (
    <form
      ref={form}
      className="form"
      aria-label={label}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    >
      {errors.form !== undefined && (
        <p className="form-error" role="alert">
          {errors.form}
        </p>
      )}
      {children}
    </form>
  );
}

/** What was entered into a text field. */
export function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
