import { useMemo } from 'react';
import { Link } from 'react-router';
import { formErrors, NO_ERRORS, ProblemError, type FormErrors } from '../api/problem';
import { useSignUp, type SignUp } from '../api/session';
import { Field } from '../components/field';
import { Form, text } from '../components/form';
import { NewPasswordField } from '../components/new-password-field';
import { passwordFault } from '../components/password-rule';
import { useFormErrors } from '../components/use-form-errors';
import { usePageTitle } from '../layout/use-page-title';
import { browserTimeZone, timeZones } from '../time/zone';
import { EmailField } from './email-field';

const FIELDS = ['name', 'email', 'password', 'time_zone'];
const NAME_CHARS_MAX = 200;

export function SignUpPage() {
  usePageTitle('Sign up');
  const signUp = useSignUp();
  const { error } = signUp;
  const { errors, setInputErrors } = useFormErrors(error, readErrors);

  const submit = (form: FormData) => {
    const body = {
      name: text(form, 'name'),
      email: text(form, 'email'),
      password: text(form, 'password'),
      time_zone: text(form, 'time_zone'),
    };
    const found = inputErrorsOf(body);
    setInputErrors(found);
    if (found === NO_ERRORS) signUp.mutate(body);
  };

  return (
    <>
      <h1>Sign up</h1>
      <Form label="Sign up" errors={errors} onSubmit={submit}>
        <Field
          label="Name"
          hint="Your company or project, as you want to see it here."
          error={errors.fields.name}
        >
          {(control) => (
            <input
              {...control}
              name="name"
              autoComplete="organization"
              maxLength={NAME_CHARS_MAX}
              required
            />
          )}
        </Field>
        <EmailField error={errors.fields.email} />
        <NewPasswordField label="Password" name="password" error={errors.fields.password} />
        <Field
          label="Time zone"
          hint="Where your days begin and end in the reports."
          error={errors.fields.time_zone}
        >
          {(control) => <TimeZoneSelect {...control} />}
        </Field>
        <button className="button button-primary button-wide" disabled={signUp.isPending}>
          {signUp.isPending ? 'Signing up…' : 'Sign up'}
        </button>
      </Form>
      <p className="sign-in-other">
        Signed up already? <Link to="/log-in">Log in</Link>
      </p>
    </>
  );
}

function TimeZoneSelect(control: { id: string }) {
  const own = browserTimeZone();
  const zones = useMemo(() => [...new Set([own, ...timeZones()])].sort(), [own]);
  return (
    <select {...control} name="time_zone" defaultValue={own}>
      {zones.map((zone) => (
        <option key={zone} value={zone}>
          {zone.replaceAll('_', ' ')}
        </option>
      ))}
    </select>
  );
}

/** What can be checked before anything is sent. The server checks the rest. */
function inputErrorsOf({ name, email, password }: SignUp): FormErrors {
  const fields: Record<string, string> = {};
  if (name.trim() === '') fields.name = 'Enter a name.';
  if (!/^\S+@\S+$/.test(email.trim())) fields.email = 'This is not an e-mail address.';
  const fault = passwordFault(password);
  if (fault !== undefined) fields.password = fault;
  return Object.keys(fields).length > 0 ? { fields, form: undefined } : NO_ERRORS;
}

function readErrors(error: Error): FormErrors {
  if (error instanceof ProblemError && error.is('email-taken')) {
    return { fields: { email: error.message }, form: undefined };
  }
  return formErrors(error, FIELDS);
}
