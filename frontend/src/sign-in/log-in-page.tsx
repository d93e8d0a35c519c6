import { Link, useSearchParams } from 'react-router';
import { formErrors } from '../api/problem';
import { useLogIn } from '../api/session';
import { Field } from '../components/field';
import { Form, text } from '../components/form';
import { PasswordInput } from '../components/password-input';
import { useFormErrors } from '../components/use-form-errors';
import { usePageTitle } from '../layout/use-page-title';
import { EmailField } from './email-field';

const readErrors = (error: Error) => formErrors(error, ['email', 'password']);

export function LogInPage() {
  usePageTitle('Log in');
  const logIn = useLogIn();
  const [address] = useSearchParams();
  const { error } = logIn;
  const { errors } = useFormErrors(error, readErrors);

  return (
    <>
      <h1>Log in</h1>
      {address.has('next') && error === null && (
        <p className="notice" role="status">
          Log in to go on to the page you asked for.
        </p>
      )}
      <Form
        label="Log in"
        errors={errors}
        onSubmit={(form) =>
          logIn.mutate({ email: text(form, 'email'), password: text(form, 'password') })
        }
      >
        <EmailField error={errors.fields.email} />
        <Field label="Password" error={errors.fields.password}>
          {(control) => (
            <PasswordInput {...control} name="password" autoComplete="current-password" required />
          )}
        </Field>
        <button className="button button-primary button-wide" disabled={logIn.isPending}>
          {logIn.isPending ? 'Logging in…' : 'Log in'}
        </button>
      </Form>
      <p className="sign-in-other">
        <Link to="/forgotten-password">Forgotten your password?</Link>
      </p>
      <p className="sign-in-other">
        New here? <Link to={{ pathname: '/sign-up', search: address.toString() }}>Sign up</Link>
      </p>
    </>
  );
}
