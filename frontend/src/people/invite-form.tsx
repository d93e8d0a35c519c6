import { useState } from 'react';
import { formErrors, NO_ERRORS, ProblemError, type FormErrors } from '../api/problem';
import { Field } from '../components/field';
import { Form, text } from '../components/form';
import { useFormErrors } from '../components/use-form-errors';
import { useInvite, type Invited } from './queries';
import { RoleChoice } from './role-choice';
import { roleOf } from './roles';

const FIELDS = ['email', 'role'];
const ROLE_DEFAULT = 'analyst';

type Props = { onInvited: (invited: Invited) => void };

export function InviteForm({ onInvited }: Props) {
  const invite = useInvite();
  // A new key empties the form after it succeeded.
  const [round, setRound] = useState(0);
  const { error } = invite;
  const { errors, setInputErrors } = useFormErrors(error, readErrors);

  const submit = (form: FormData) => {
    const email = text(form, 'email').trim();
    const isAddress = /^\S+@\S+$/.test(email);
    setInputErrors(
      isAddress
        ? NO_ERRORS
        : { fields: { email: 'This is not an e-mail address.' }, form: undefined },
    );
    if (!isAddress) return;
    invite.mutate(
      { email, role: roleOf(text(form, 'role')) ?? ROLE_DEFAULT },
      {
        onSuccess: (invited) => {
          invite.reset();
          setRound(round + 1);
          onInvited(invited);
        },
      },
    );
  };

  return (
    <Form key={round} label="Invite somebody" errors={errors} onSubmit={submit}>
      <Field
        label="E-mail"
        hint="You get the link to hand on; it is mailed too if a relay is configured."
        error={errors.fields.email}
      >
        {(control) => <input {...control} name="email" type="email" autoComplete="off" />}
      </Field>
      <RoleChoice name="role" chosen={ROLE_DEFAULT} />
      <button className="button button-primary button-wide" disabled={invite.isPending}>
        {invite.isPending ? 'Inviting…' : 'Make a link'}
      </button>
    </Form>
  );
}

function readErrors(error: Error): FormErrors {
  const isAboutAddress = ['already-member', 'address-in-use'];
  if (error instanceof ProblemError && isAboutAddress.some((name) => error.is(name))) {
    return { fields: { email: error.message }, form: undefined };
  }
  return formErrors(error, FIELDS);
}
