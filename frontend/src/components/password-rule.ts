const CHARS_MIN = 12;
const CHARS_MAX = 128;

/** The rule, as a form says it. */
export const PASSWORD_RULE = `${CHARS_MIN} to ${CHARS_MAX} characters. A few words do well; passwords that many people have are refused.`;

/** Checks the length of a password before it is sent. Only the server knows which ones are too common. */
export function passwordFault(password: string): string | undefined {
  const chars = Array.from(password).length;
  if (chars < CHARS_MIN) return `Too short: at least ${CHARS_MIN} characters.`;
  return chars > CHARS_MAX ? `Too long: at most ${CHARS_MAX} characters.` : undefined;
}
