import { Link, useLocation } from 'react-router';
import { formErrors, NO_ERRORS, ProblemError } from '../api/problem';
import { useResetPassword } from '../api/session';
import { Form, text } from '../components/form';
import { NewPasswordField } from '../components/new-password-field';
import { passwordFault } from '../components/password-rule';
import { useFormErrors } from '../components/use-form-errors';
import { usePageTitle } from '../layout/use-page-title';
import { SignInLayout } from './sign-in-layout';

const readErrors = (error: Error) => formErrors(error, ['password']);

/** The page of a reset's link. The secret is in the fragment, which browsers do not send. */
export function ResetPasswordPage() {
  usePageTitle('New password');
  const token = new URLSearchParams(useLocation().hash.slice(1)).get('token') ?? '';
  return (
    <SignInLayout>
      {token === '' ? (
        <>
          <h1>This link is not whole</h1>
          <p role="alert">
            The end of it is missing: what follows <code>#token=</code>. Copy the whole link into
            the address bar.
          </p>
        </>
      ) : (
        <ResetForm key={token} token={token} />
      )}
    </SignInLayout>
  );
}

function ResetForm({ token }: { token: string }) {
  const reset = useResetPassword();
  const { error } = reset;
  const { errors, setInputErrors } = useFormErrors(error, readErrors);

  if (reset.isSuccess) {
    return (
      <>
        <h1>Your password is changed</h1>
        <p role="status">All your sessions are over. Log in with the new password.</p>
        <p className="sign-in-other">
          <Link to="/log-in" replace>
            Log in
          </Link>
        </p>
      </>
    );
  }
  if (error instanceof ProblemError && error.is('reset-not-found')) {
    return (
      <>
        <h1>This link is good no more</h1>
        <p role="alert">
          It was used already, a newer one took its place, or it is older than an hour.
        </p>
        <p className="sign-in-other">
          <Link to="/forgotten-password">Ask for a new one</Link>
        </p>
      </>
    );
  }

  const submit = (form: FormData) => {
    const password = text(form, 'password');
    const fault = passwordFault(password);
    setInputErrors(
      fault === undefined ? NO_ERRORS : { fields: { password: fault }, form: undefined },
    );
    if (fault === undefined) reset.mutate({ token, password });
  };

  return (
    <>
      <h1>New password</h1>
      <p className="sign-in-other">It ends all your sessions. Then you log in with it.</p>
      <Form label="Choose a password" errors={errors} onSubmit={submit}>
        <NewPasswordField label="New password" name="password" error={errors.fields.password} />
        <button className="button button-primary button-wide" disabled={reset.isPending}>
          {reset.isPending ? 'Changing…' : 'Change the password'}
        </button>
      </Form>
    </>
  );
}
