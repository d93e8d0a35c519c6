import { useMemo, useState } from 'react';
import { NO_ERRORS, type FormErrors } from '../api/problem';

/** What is wrong with a form: what was found in its fields, or else what the server said about what it was sent. */
export function useFormErrors(error: Error | null, read: (error: Error) => FormErrors) {
  const [inputErrors, setInputErrors] = useState<FormErrors>(NO_ERRORS);
  const serverErrors = useMemo(() => (error === null ? NO_ERRORS : read(error)), [error, read]);
  return { errors: inputErrors === NO_ERRORS ? serverErrors : inputErrors, setInputErrors };
}
