// A newcomer's first minutes in a real browser, against a running Daybook (DAYBOOK_URL).
// Prints a line a step; on failure leaves a picture of the page in DAYBOOK_E2E_PICTURES and ends with 1.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { daybookUrl, openBrowser } from './browser.js';
import { watchForFaults } from './faults.js';
import { steps } from './steps.js';

const WHOLE_MAX_MS = 420_000;
const WAIT_MAX_MS = 30_000;

const url = daybookUrl();
const overdue = setTimeout(() => {
  console.error(`not done after ${WHOLE_MAX_MS / 1000} s`);
  process.exit(1);
}, WHOLE_MAX_MS);

const { context, close } = await openBrowser({
  viewport: { width: 1280, height: 900 },
  timezoneId: 'Europe/Berlin',
});
const page = context.pages()[0] ?? (await context.newPage());
page.setDefaultTimeout(WAIT_MAX_MS);
const faults = watchForFaults(page, url);

let current = 'start';
try {
  const state = {};
  for (const [name, step] of Object.entries(steps)) {
    current = name;
    const begun = performance.now();
    await step({ page, url, faults, state });
    faults.none();
    console.log(`ok    ${name} (${Math.round(performance.now() - begun)} ms)`);
  }
} catch (error) {
  console.error(`FAIL  ${current}\n${error instanceof Error ? error.stack : error}`);
  console.error(`      at ${page.url()}; picture: ${await picture()}`);
  process.exitCode = 1;
} finally {
  await close();
  clearTimeout(overdue);
}

async function picture() {
  try {
    const folder = process.env.DAYBOOK_E2E_PICTURES || mkdtempSync(join(tmpdir(), 'daybook-e2e-'));
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${current.replaceAll(/[^a-z0-9]+/gi, '-')}.png`);
    await page.screenshot({ path, fullPage: true });
    return path;
  } catch (error) {
    return `none (${error})`;
  }
}
