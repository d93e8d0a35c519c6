import { useMemo, useState, type ReactNode } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { formErrors, NO_ERRORS, ProblemError, type FormErrors } from '../api/problem';
import { useAcceptInvitation } from '../api/session';
import { Door } from '../components/door';
import { Form, text } from '../components/form';
import { Labelled } from '../components/labelled';
import { Password } from '../components/password';
import { PASSWORD_RULE, passwordFault } from '../components/password-rule';
import { usePageTitle } from './use-page-title';

const FIELDS = ['password'];

/** Where the link of an invitation leads. Its secret stands behind the `#`, which no server on the way sees. */
export function JoinPage() {
  usePageTitle('Join');
  const token = new URLSearchParams(useLocation().hash.slice(1)).get('token');
  return (
    <Door>
      {token === null || token === '' ? (
        <NoLink title="This link is not whole">
          The end of it is missing: what follows <code>#token=</code>. Copy the whole link that you
          were given into the address bar.
        </NoLink>
      ) : (
        <JoinForm key={token} token={token} />
      )}
    </Door>
  );
}

function JoinForm({ token }: { token: string }) {
  const accept = useAcceptInvitation();
  const navigate = useNavigate();
  const [faults, setFaults] = useState<FormErrors>(NO_ERRORS);
  const { error } = accept;
  const refused = useMemo(() => (error === null ? NO_ERRORS : formErrors(error, FIELDS)), [error]);
  const errors = faults === NO_ERRORS ? refused : faults;

  if (error instanceof ProblemError && error.is('invitation-not-found')) {
    return (
      <NoLink title="This link is good no more">
        It was used already, it was withdrawn, or it is older than seven days. Ask whoever invited
        you for a new one.
      </NoLink>
    );
  }

  const submit = (form: FormData) => {
    const password = text(form, 'password');
    const fault = passwordFault(password);
    setFaults(fault === undefined ? NO_ERRORS : { fields: { password: fault }, form: undefined });
    if (fault !== undefined) return;
    // In the place of this page: what the way back leads to must not hold the link.
    accept.mutate({ token, password }, { onSuccess: () => void navigate('/', { replace: true }) });
  };

  return (
    <>
      <h1>Join</h1>
      <p className="door-other">
        You were invited to Daybook. Choose a password, and you are in; from then on you log in with
        your e-mail address and this password.
      </p>
      <Form label="Join" errors={errors} onSubmit={submit}>
        <Labelled label="Password" hint={PASSWORD_RULE} error={errors.fields.password}>
          {(control) => (
            <Password {...control} name="password" autoComplete="new-password" required />
          )}
        </Labelled>
        <button className="button button-primary button-wide" disabled={accept.isPending}>
          {accept.isPending ? 'Joining…' : 'Join'}
        </button>
      </Form>
    </>
  );
}

function NoLink({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <h1>{title}</h1>
      <p role="alert">{children}</p>
      <p className="door-other">
        Joined already? <Link to="/log-in">Log in</Link>
      </p>
    </>
  );
}
