// posthog-js and analytics.js, unmodified, in a real browser (CHROMIUM_PATH), pointed at Daybook (DAYBOOK_URL) with a token
// (DAYBOOK_TOKEN). Ends with 1 if a request to Daybook fails or anything else is asked.
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';

const url = process.env.DAYBOOK_URL;
const token = process.env.DAYBOOK_TOKEN;
const WAIT_MAX_MS = 30_000;
const PAGE = `${url}/a-shop-of-somebody`;

const require = createRequire(import.meta.url);
const packaged = (name, file) => join(dirname(require.resolve(`${name}/package.json`)), file);

const profile = mkdtempSync(join(tmpdir(), 'daybook-clients-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM_PATH,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  timeout: WAIT_MAX_MS,
});
const failures = [];
try {
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(WAIT_MAX_MS);
  page.on('pageerror', (error) => failures.push(`in the page: ${error}`));
  page.on('response', (answer) => {
    if (answer.status() >= 300) failures.push(`${answer.status()} ${answer.url()}`);
  });
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && !asked.startsWith('data:')) failures.push(`asked somebody else: ${asked}`);
  });
  await page.route(PAGE, (route) => route.fulfill({ contentType: 'text/html', body: '<h1>A shop</h1>' }));
  await page.goto(PAGE);
  await posthog(page);
  await segment(page);
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
for (const failure of failures) console.error(failure);
process.exit(failures.length > 0 ? 1 : 0);

/** Waits until Daybook has taken what is sent to an address. */
function taken(page, path) {
  return page.waitForResponse((answer) => new URL(answer.url()).pathname === path && answer.status() === 200);
}

async function posthog(page) {
  await page.addScriptTag({ path: packaged('posthog-js', 'dist/array.no-external.js') });
  const sent = taken(page, '/e/');
  await page.evaluate(
    ([host, key]) => {
      const { posthog } = window;
      posthog.init(key, {
        api_host: host,
        autocapture: false,
        capture_pageview: false,
        capture_pageleave: false,
        bootstrap: { distinctID: 'posthog-js' },
        // The tests' browser is one that posthog-js takes for a robot.
        opt_out_useragent_filter: true,
        request_queue_config: { flush_interval_ms: 250 },
      });
      posthog.capture('Order Completed', { revenue: 42.5, plan: 'pro' });
    },
    [url, token],
  );
  await sent;
}

async function segment(page) {
  await page.addScriptTag({ path: packaged('@segment/analytics-next', 'dist/umd/index.js') });
  const sent = taken(page, '/v1/t');
  await page.evaluate(
    async ([host, key]) => {
      const { protocol, host: authority } = new URL(host);
      const analytics = window.AnalyticsNext.AnalyticsBrowser.load(
        { writeKey: key, cdnURL: host },
        {
          integrations: {
            'Segment.io': { apiHost: `${authority}/v1`, protocol: protocol.replace(':', '') },
          },
        },
      );
      await analytics.identify('analytics-next');
      await analytics.track('Order Completed', { revenue: 42.5, plan: 'pro' });
    },
    [url, token],
  );
  await sent;
}
