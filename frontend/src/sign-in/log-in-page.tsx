import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router';
import { formErrors, NO_ERRORS } from '../api/problem';
import { useLogIn } from '../api/session';
import { Form, text } from '../components/form';
import { Labelled } from '../components/field';
import { Password } from '../components/password-input';
import { usePageTitle } from '../layout/use-page-title';

const FIELDS = ['email', 'password'];

export function LogInPage() {
  usePageTitle('Log in');
  const logIn = useLogIn();
  const [address] = useSearchParams();
  const { error } = logIn;
  const errors = useMemo(() => (error === null ? NO_ERRORS : formErrors(error, FIELDS)), [error]);

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
        <Labelled label="E-mail" error={errors.fields.email}>
          {(control) => (
            <input {...control} name="email" type="email" autoComplete="username" required />
          )}
        </Labelled>
        <Labelled label="Password" error={errors.fields.password}>
          {(control) => (
            <Password {...control} name="password" autoComplete="current-password" required />
          )}
        </Labelled>
        <button className="button button-primary button-wide" disabled={logIn.isPending}>
          {logIn.isPending ? 'Logging in…' : 'Log in'}
        </button>
      </Form>
      <p className="door-other">
        <Link to="/forgotten-password">Forgotten your password?</Link>
      </p>
      <p className="door-other">
        New here? <Link to={{ pathname: '/sign-up', search: address.toString() }}>Sign up</Link>
      </p>
    </>
  );
}
