// The browser of the end-to-end test and of the pictures: a system's Chromium with a fresh profile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const START_MAX_MS = 30_000;

/** Opens a browser in a profile that nobody has used; `close` ends it and removes the profile. */
export async function openBrowser(options) {
  const profile = mkdtempSync(join(tmpdir(), 'daybook-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM_PATH || '/usr/bin/chromium',
    args: FLAGS,
    timeout: START_MAX_MS,
    ...options,
  });
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { context, close };
}

/** Where the dashboard is, without a slash at the end. */
export function daybookUrl() {
  return (process.env.DAYBOOK_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '');
}
