import { useState } from 'react';
import { formErrors, NO_ERRORS } from '../api/problem';
import { FieldError, Field } from '../components/field';
import { Form, text } from '../components/form';
import { useFormErrors } from '../components/use-form-errors';
import { endOfDay, today } from '../time/zone';
import { useIssueToken, type IssuedToken, type Scope } from './queries';

const readErrors = (error: Error) =>
  formErrors(error, ['name', 'scopes', 'expires_at', 'allowed_origins', 'rate']);
const NAME_CHARS_MAX = 100;
const RATE_DEFAULT = 100;
const RATE_MAX = 10_000;
const SCOPES: readonly { scope: Scope; allows: string }[] = [
  { scope: 'ingest', allows: 'Record, correct and redact activities' },
  { scope: 'read', allows: 'Query reports and activities' },
  { scope: 'audit', allows: 'Read the whole history' },
  { scope: 'admin', allows: 'Tokens, people and operations' },
];

type Props = {
  /** The scopes that the member may give; nobody gives more than their own. */
  mine: readonly Scope[];
  timeZone: string;
  onIssued: (issued: IssuedToken) => void;
};

export function IssueTokenForm({ mine, timeZone, onIssued }: Props) {
  const issue = useIssueToken();
  // A new key empties the form after it succeeded.
  const [round, setRound] = useState(0);
  const [isPublic, setIsPublic] = useState(false);
  const { error } = issue;
  const { errors, setInputErrors } = useFormErrors(error, readErrors);

  const submit = (form: FormData) => {
    const name = text(form, 'name');
    const scopes: Scope[] = isPublic
      ? ['ingest']
      : SCOPES.map(({ scope }) => scope).filter((scope) => form.has(`scope-${scope}`));
    const expires = text(form, 'expires_at');
    const origins = isPublic ? text(form, 'allowed_origins').split(/\s+/).filter(Boolean) : [];
    const fields: Record<string, string> = {};
    if (name.trim() === '') fields.name = 'Enter a name.';
    if (scopes.length === 0) fields.scopes = 'Choose at least one.';
    if (isPublic && origins.length === 0) fields.allowed_origins = 'Name at least one.';
    const isFaulty = Object.keys(fields).length > 0;
    setInputErrors(isFaulty ? { fields, form: undefined } : NO_ERRORS);
    if (isFaulty) return;
    issue.mutate(
      {
        name,
        scopes,
        ...(expires !== '' && { expires_at: endOfDay(timeZone, expires) }),
        ...(isPublic && {
          public: true,
          allowed_origins: origins,
          rate: Number(text(form, 'rate')),
        }),
      },
      {
        onSuccess: (issued) => {
          issue.reset();
          setRound(round + 1);
          setIsPublic(false);
          onIssued(issued);
        },
      },
    );
  };

  return (
    <Form key={round} label="New token" errors={errors} onSubmit={submit}>
      <Field label="Name" hint="What it is for." error={errors.fields.name}>
        {(control) => (
          <input
            {...control}
            name="name"
            maxLength={NAME_CHARS_MAX}
            autoComplete="off"
            placeholder="nightly import"
          />
        )}
      </Field>
      <fieldset className="checks">
        <legend>Where it is used</legend>
        <label className="check">
          <input
            type="checkbox"
            checked={isPublic}
            disabled={!mine.includes('ingest')}
            onChange={(event) => setIsPublic(event.target.checked)}
          />
          <span className="check-name">for a browser</span>
          <span className="check-about">
            Everybody can read it; it records activities and does nothing else
          </span>
        </label>
      </fieldset>
      {isPublic ? (
        <PublicFields errors={errors.fields} />
      ) : (
        <fieldset
          className="checks"
          aria-describedby={errors.fields.scopes === undefined ? undefined : 'scopes-error'}
        >
          <legend>Scopes</legend>
          {SCOPES.map(({ scope, allows }, index) => (
            <label key={scope} className="check">
              <input
                type="checkbox"
                name={`scope-${scope}`}
                defaultChecked={scope === 'ingest'}
                disabled={!mine.includes(scope)}
                aria-invalid={index === 0 && errors.fields.scopes !== undefined}
              />
              <span className="check-name">{scope}</span>
              <span className="check-about">{allows}</span>
            </label>
          ))}
          <FieldError id="scopes-error" error={errors.fields.scopes} />
        </fieldset>
      )}
      <Field
        label="Expires after (optional)"
        hint="The last day on which it works. Without one it works until it is revoked."
        error={errors.fields.expires_at}
      >
        {(control) => <input {...control} name="expires_at" type="date" min={today(timeZone)} />}
      </Field>
      <button className="button button-primary button-wide" disabled={issue.isPending}>
        {issue.isPending ? 'Making…' : 'Make a token'}
      </button>
    </Form>
  );
}

function PublicFields({ errors }: { errors: Record<string, string> }) {
  return (
    <>
      <Field
        label="Pages"
        hint="The origins that may use it, one to a line: https://example.com"
        error={errors.allowed_origins}
      >
        {(control) => (
          <textarea
            {...control}
            name="allowed_origins"
            rows={2}
            placeholder="https://example.com"
          />
        )}
      </Field>
      <Field label="Requests a second" hint="At most so many, of all pages." error={errors.rate}>
        {(control) => (
          <input
            {...control}
            name="rate"
            type="number"
            min={1}
            max={RATE_MAX}
            defaultValue={RATE_DEFAULT}
          />
        )}
      </Field>
    </>
  );
}
