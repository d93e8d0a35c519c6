// Takes the pictures of the README of a system started with `daybook up --demo`, into docs/pictures
// or the folder named as argument. DAYBOOK_EMAIL and DAYBOOK_PASSWORD are the login that it printed.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { daybookUrl, openBrowser } from './browser.js';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const PICTURE_MAX_BYTES = 250_000;
const WAIT_MAX_MS = 30_000;
const FOLD_MAX_MS = 120_000;
const TOKEN = 'nightly import';
const { DAYBOOK_EMAIL: email, DAYBOOK_PASSWORD: password } = process.env;
if (!email || !password) {
  console.error('DAYBOOK_EMAIL and DAYBOOK_PASSWORD are missing: `daybook up --demo` prints them.');
  process.exit(2);
}

const url = daybookUrl();
mkdirSync(folder, { recursive: true });
const { context, close } = await openBrowser({
  viewport: { width: 1280, height: 800 },
  colorScheme: 'light',
  reducedMotion: 'reduce',
});
const page = context.pages()[0] ?? (await context.newPage());
page.setDefaultTimeout(WAIT_MAX_MS);

async function take(name) {
  await page.mouse.move(0, 0);
  // Until the fonts are there, a picture shows others.
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  const { size } = statSync(path);
  console.log(`${name}.png ${Math.round(size / 1000)} kB`);
  if (size > PICTURE_MAX_BYTES)
    throw new Error(`${name}.png is larger than ${PICTURE_MAX_BYTES} bytes`);
}

async function loaded() {
  // A system that has just recorded its month of activity is still folding it.
  await page.getByTestId('lag').filter({ hasText: 'Up to date' }).waitFor({ timeout: FOLD_MAX_MS });
  await page.getByTestId('feed-item').first().waitFor();
  await page.getByTestId('chart').waitFor();
  await page.getByRole('img', { name: /^Line chart/ }).waitFor();
  await page.locator('.skeleton').first().waitFor({ state: 'detached' });
}

try {
  await page.goto(`${url}/sign-up`);
  await page.getByLabel('Name').fill('Ledger & Co');
  await page.getByLabel('E-mail').fill('ada@example.com');
  await take('sign-up');

  await page.goto(`${url}/log-in?next=%2F%3Frange%3D30d`);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await loaded();
  await take('overview');
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('overview-dark');

  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${url}/reports?measure=actors&interval=week&group_by=type`);
  await page.getByRole('region', { name: 'Activity as a table' }).waitFor();
  await take('reports');

  await page.goto(`${url}/tokens`);
  await page.getByLabel('Name').fill(TOKEN);
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByTestId('token-row').filter({ hasText: TOKEN }).first().waitFor();
  await take('tokens');
  // Its secret is in the picture: it must not be one that works.
  await page.getByRole('button', { name: `Revoke ${TOKEN}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('button', { name: `Revoke ${TOKEN}` }).waitFor({ state: 'detached' });
} finally {
  await close();
}
