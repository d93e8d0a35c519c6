import { useMemo } from 'react';
import { Link } from 'react-router';
import { formErrors, NO_ERRORS } from '../api/problem';
import { useForgotPassword } from '../api/session';
import { Form, text } from '../components/form';
import { Labelled } from '../components/field';
import { usePageTitle } from '../layout/use-page-title';

const FIELDS = ['email'];
const MINUTE_S = 60;

/** Asks for a link to choose a new password with. */
export function ForgottenPasswordPage() {
  usePageTitle('Forgotten password');
  const forgot = useForgotPassword();
  const { error } = forgot;
  const errors = useMemo(() => (error === null ? NO_ERRORS : formErrors(error, FIELDS)), [error]);
  return (
    <>
      <h1>Forgotten password</h1>
      {forgot.isSuccess ? (
        <p className="notice" role="status">
          If somebody logs in with <bdi>{forgot.variables}</bdi>, a link is on its way there. It
          works once, within {Math.round(forgot.data.expires_in_s / MINUTE_S)} minutes.
        </p>
      ) : (
        <Form
          label="Forgotten password"
          errors={errors}
          onSubmit={(form) => forgot.mutate(text(form, 'email').trim())}
        >
          <Labelled
            label="E-mail"
            hint="The address you log in with. A link to choose a new password is mailed there."
            error={errors.fields.email}
          >
            {(control) => (
              <input {...control} name="email" type="email" autoComplete="username" required />
            )}
          </Labelled>
          <button className="button button-primary button-wide" disabled={forgot.isPending}>
            {forgot.isPending ? 'Asking…' : 'Mail me a link'}
          </button>
        </Form>
      )}
      <p className="door-other">
        Remembered it? <Link to="/log-in">Log in</Link>
      </p>
    </>
  );
}
