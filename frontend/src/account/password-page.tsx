import { useState } from 'react';
import { formErrors, NO_ERRORS } from '../api/problem';
import { useChangePassword } from '../api/session';
import { Field } from '../components/field';
import { Form, text } from '../components/form';
import { NewPasswordField } from '../components/new-password-field';
import { Panel } from '../components/panel';
import { PasswordInput } from '../components/password-input';
import { passwordFault } from '../components/password-rule';
import { useFormErrors } from '../components/use-form-errors';
import { useSession } from '../layout/members-only';
import { PageHead } from '../layout/page-head';

const readErrors = (error: Error) => formErrors(error, ['old_password', 'new_password']);

/** Changes the password of a member who knows the old one. */
export function PasswordPage() {
  const { member } = useSession();
  const change = useChangePassword();
  // A new key empties the form after it succeeded.
  const [round, setRound] = useState(0);
  const { error } = change;
  const { errors, setInputErrors } = useFormErrors(error, readErrors);

  const submit = (form: FormData) => {
    const body = {
      old_password: text(form, 'old_password'),
      new_password: text(form, 'new_password'),
    };
    const fault = passwordFault(body.new_password);
    setInputErrors(
      fault === undefined ? NO_ERRORS : { fields: { new_password: fault }, form: undefined },
    );
    if (fault === undefined) change.mutate(body, { onSuccess: () => setRound(round + 1) });
  };

  return (
    <>
      <PageHead title="Password">
        <p className="page-about">A new password ends all your other sessions; this one goes on.</p>
      </PageHead>
      <Panel title="Change the password" className="panel-form">
        {change.isSuccess && (
          <p className="notice" role="status">
            Changed. From now on you log in with the new password.
          </p>
        )}
        <Form key={round} label="Change the password" errors={errors} onSubmit={submit}>
          {/* Tells a password manager whose password it is. */}
          <input type="hidden" name="username" autoComplete="username" value={member.email} />
          <Field label="Old password" error={errors.fields.old_password}>
            {(control) => (
              <PasswordInput
                {...control}
                name="old_password"
                autoComplete="current-password"
                required
              />
            )}
          </Field>
          <NewPasswordField
            label="New password"
            name="new_password"
            error={errors.fields.new_password}
          />
          <button className="button button-primary button-wide" disabled={change.isPending}>
            {change.isPending ? 'Changing…' : 'Change the password'}
          </button>
        </Form>
      </Panel>
    </>
  );
}
