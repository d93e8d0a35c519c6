import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { formErrors, NO_ERRORS, ProblemError } from '../api/problem';
import { sessionQuery, useAcceptInvitation, type Session } from '../api/session';
import { Form, text } from '../components/form';
import { SkeletonLines } from '../components/loaded';
import { NewPasswordField } from '../components/new-password-field';
import { passwordFault } from '../components/password-rule';
import { useFormErrors } from '../components/use-form-errors';
import { usePageTitle } from '../layout/use-page-title';
import { SignInLayout } from './sign-in-layout';

const readErrors = (error: Error) => formErrors(error, ['password']);
const SKELETON_LINES = 3;

/** The page of an invitation's link. The secret is in the fragment, which browsers do not send. */
export function JoinPage() {
  usePageTitle('Join');
  const token = new URLSearchParams(useLocation().hash.slice(1)).get('token');
  return (
    <SignInLayout>
      {token === null || token === '' ? (
        <NoLink title="This link is not whole">
          The end of it is missing: what follows <code>#token=</code>. Copy the whole link that you
          were given into the address bar.
        </NoLink>
      ) : (
        <Join key={token} token={token} />
      )}
    </SignInLayout>
  );
}

function Join({ token }: { token: string }) {
  const session = useQuery(sessionQuery);
  const [mayLeave, setMayLeave] = useState(false);
  // Joining begins a session, which must not bring up the question again.
  const [joins, setJoins] = useState(false);
  if (session.isPending) return <SkeletonLines count={SKELETON_LINES} />;
  if (session.data && !mayLeave && !joins) {
    return <AskFirst session={session.data} onLeave={() => setMayLeave(true)} />;
  }
  return <JoinForm token={token} onJoin={() => setJoins(true)} />;
}

/** Joining replaces the session of this browser, so a member who is logged in is asked first. */
function AskFirst({ session, onLeave }: { session: Session; onLeave: () => void }) {
  const { customer, member } = session;
  return (
    <>
      <h1>You are logged in already</h1>
      <p role="alert">
        This browser is logged in as <bdi>{member.email}</bdi> of <bdi>{customer.name}</bdi>.
        Joining logs you out there, in every window, and in as the one who is invited.{' '}
        <bdi>{member.email}</bdi> itself does not join.
      </p>
      <button type="button" className="button button-primary button-wide" onClick={onLeave}>
        Go on and join
      </button>
      <p className="sign-in-other">
        Not for you? <Link to="/">Stay as you are</Link>
      </p>
    </>
  );
}

function JoinForm({ token, onJoin }: { token: string; onJoin: () => void }) {
  const accept = useAcceptInvitation();
  const navigate = useNavigate();
  const { error } = accept;
  const { errors, setInputErrors } = useFormErrors(error, readErrors);

  if (error instanceof ProblemError && error.is('invitation-not-found')) {
    return (
      <NoLink title="This link is good no more">
        It was used already, it was withdrawn, or it is older than seven days. Ask whoever invited
        you for a new one.
      </NoLink>
    );
  }

  if (error instanceof ProblemError && error.is('address-in-use')) {
    return (
      <NoLink title="Your address has an account already">
        It logs in for another customer, and an address belongs to one. Ask whoever invited you for
        an invitation to another address of yours, or have yourself removed from the other customer
        and open this link again.
      </NoLink>
    );
  }

  const submit = (form: FormData) => {
    const password = text(form, 'password');
    const fault = passwordFault(password);
    setInputErrors(
      fault === undefined ? NO_ERRORS : { fields: { password: fault }, form: undefined },
    );
    if (fault !== undefined) return;
    onJoin();
    // Replaces this page in the history, so that going back does not show the link.
    accept.mutate({ token, password }, { onSuccess: () => void navigate('/', { replace: true }) });
  };

  return (
    <>
      <h1>Join</h1>
      <p className="sign-in-other">
        You were invited to Daybook. Choose a password, and you are in; from then on you log in with
        your e-mail address and this password.
      </p>
      <Form label="Join" errors={errors} onSubmit={submit}>
        <NewPasswordField label="Password" name="password" error={errors.fields.password} />
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
      <p className="sign-in-other">
        Joined already? <Link to="/log-in">Log in</Link>
      </p>
    </>
  );
}
