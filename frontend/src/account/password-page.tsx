import { useMemo, useState } from 'react';
import { formErrors, NO_ERRORS, type FormErrors } from '../api/problem';
import { useChangePassword } from '../api/session';
import { Form, text } from '../components/form';
import { Labelled } from '../components/field';
import { Panel } from '../components/panel';
import { Password } from '../components/password-input';
import { PASSWORD_RULE, passwordFault } from '../components/password-rule';
import { useSession } from '../layout/members-only';
import { usePageTitle } from '../layout/use-page-title';

const FIELDS = ['old_password', 'new_password'];

/** Another password, for whoever knows the old one. */
export function PasswordPage() {
  usePageTitle('Password');
  const { member } = useSession();
  const change = useChangePassword();
  const [faults, setFaults] = useState<FormErrors>(NO_ERRORS);
  // A form that has done its work begins anew.
  const [round, setRound] = useState(0);
  const { error } = change;
  const refused = useMemo(() => (error === null ? NO_ERRORS : formErrors(error, FIELDS)), [error]);
  const errors = faults === NO_ERRORS ? refused : faults;

  const submit = (form: FormData) => {
    const body = {
      old_password: text(form, 'old_password'),
      new_password: text(form, 'new_password'),
    };
    const fault = passwordFault(body.new_password);
    setFaults(
      fault === undefined ? NO_ERRORS : { fields: { new_password: fault }, form: undefined },
    );
    if (fault === undefined) change.mutate(body, { onSuccess: () => setRound(round + 1) });
  };

  return (
    <>
      <div className="page-head">
        <h1>Password</h1>
        <p className="page-about">A new password ends all your other sessions; this one goes on.</p>
      </div>
      <Panel title="Change the password" className="panel-form">
        {change.isSuccess && (
          <p className="notice" role="status">
            Changed. From now on you log in with the new password.
          </p>
        )}
        <Form key={round} label="Change the password" errors={errors} onSubmit={submit}>
          {/* Tells a keeper of passwords whose it is. */}
          <input type="hidden" name="username" autoComplete="username" value={member.email} />
          <Labelled label="Old password" error={errors.fields.old_password}>
            {(control) => (
              <Password {...control} name="old_password" autoComplete="current-password" required />
            )}
          </Labelled>
          <Labelled label="New password" hint={PASSWORD_RULE} error={errors.fields.new_password}>
            {(control) => (
              <Password {...control} name="new_password" autoComplete="new-password" required />
            )}
          </Labelled>
          <button className="button button-primary button-wide" disabled={change.isPending}>
            {change.isPending ? 'Changing…' : 'Change the password'}
          </button>
        </Form>
      </Panel>
    </>
  );
}
