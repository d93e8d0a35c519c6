import { Field } from './field';
import { PasswordInput } from './password-input';
import { PASSWORD_RULE } from './password-rule';

type Props = { label: string; name: string; error: string | undefined };

/** The field in which somebody chooses a password. */
export function NewPasswordField({ label, name, error }: Props) {
  return (
    <Field label={label} hint={PASSWORD_RULE} error={error}>
      {(control) => <PasswordInput {...control} name={name} autoComplete="new-password" required />}
    </Field>
  );
}
