import { Field } from '../components/field';

/** The address by which somebody logs in. */
export function EmailField({ hint, error }: { hint?: string; error: string | undefined }) {
  return (
    <Field label="E-mail" hint={hint} error={error}>
      {(control) => (
        <input {...control} name="email" type="email" autoComplete="username" required />
      )}
    </Field>
  );
}
