import { Link } from 'react-router';
import { formErrors } from '../api/problem';
import { useForgotPassword } from '../api/session';
import { Form, text } from '../components/form';
import { useFormErrors } from '../components/use-form-errors';
import { usePageTitle } from '../layout/use-page-title';
import { EmailField } from './email-field';

const readErrors = (error: Error) => formErrors(error, ['email']);
const MINUTE_S = 60;

/** Asks for a link to choose a new password with. */
export function ForgottenPasswordPage() {
  usePageTitle('Forgotten password');
  const forgot = useForgotPassword();
  const { error } = forgot;
  const { errors } = useFormErrors(error, readErrors);
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
          <EmailField
            hint="The address you log in with. A link to choose a new password is mailed there."
            error={errors.fields.email}
          />
          <button className="button button-primary button-wide" disabled={forgot.isPending}>
            {forgot.isPending ? 'Asking…' : 'Mail me a link'}
          </button>
        </Form>
      )}
      <p className="sign-in-other">
        Remembered it? <Link to="/log-in">Log in</Link>
      </p>
    </>
  );
}
