import { useMemo, useState } from 'react';
import { NO_ERRORS, type FormErrors } from '../api/problem';

/** The errors of a form: those found before it was sent, otherwise those that the server returned. */
export function useFormErrors(error: Error | null, read: (error: Error) => FormErrors) {
  const [inputErrors, setInputErrors] = useState<FormErrors>(NO_ERRORS);
  const serverErrors = useMemo(() => (error === null ? NO_ERRORS : read(error)), [error, read]);
  return { errors: inputErrors === NO_ERRORS ? serverErrors : inputErrors, setInputErrors };
}
