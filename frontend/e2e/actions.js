// What several steps do.
import { openBrowser } from './browser.js';
import { watchForFaults } from './faults.js';

export const PASSWORD = 'correct horse battery staple';
const GUEST_WAIT_MAX_MS = 30_000;

/** A POST with a token, as a program would send it. */
export async function record({ url, state }, activity) {
  return fetch(`${url}/v1/activities`, {
    method: 'POST',
    headers: { authorization: `Bearer ${state.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(activity),
    signal: AbortSignal.timeout(10_000),
  });
}

export async function textIs(locator, text) {
  await locator.filter({ hasText: new RegExp(`^${text}$`) }).waitFor();
}

/** Chooses a filter. It is chosen once it is in the address, which takes a busy machine a moment. */
export async function choose(page, name) {
  await page.getByRole('radio', { name }).click();
  await page.getByRole('radio', { name, checked: true }).waitFor();
}

export const goTo = (page, name) =>
  page.getByRole('navigation', { name: 'Main' }).getByText(name, { exact: true }).click();

/** What somebody else sees, in a browser that nobody has used. */
export async function asGuest(url, look, options = {}) {
  const { context, close } = await openBrowser({
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(GUEST_WAIT_MAX_MS);
    const faults = watchForFaults(page, url);
    await look(page, faults);
    faults.none();
  } finally {
    await close();
  }
}

export async function join(page, link, isLoggedIn = false) {
  await page.goto(link);
  // Whoever is logged in is asked first.
  if (isLoggedIn) await page.getByRole('button', { name: 'Go on and join' }).click();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Join' }).click();
}
