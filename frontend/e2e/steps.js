// The steps by name, in order. Each waits for a condition, and every wait has a limit (the page's default).
import assert from 'node:assert/strict';
import { openBrowser } from './browser.js';
import { watchForFaults } from './faults.js';
import { hostileCustomer, nothingSticksOut } from './hostile.js';

const REVOKED_MAX_MS = 5_000;
const ASK_AGAIN_MS = 50;
const PASSWORD = 'correct horse battery staple';
const GUEST_WAIT_MAX_MS = 30_000;

/** A POST with a token, as a program would send it. */
async function record({ url, state }, activity) {
  return fetch(`${url}/v1/activities`, {
    method: 'POST',
    headers: { authorization: `Bearer ${state.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(activity),
    signal: AbortSignal.timeout(10_000),
  });
}

async function textIs(locator, text) {
  await locator.filter({ hasText: new RegExp(`^${text}$`) }).waitFor();
}

/** Chooses a filter. It is chosen once it is in the address, which takes a busy machine a moment. */
async function choose(page, name) {
  await page.getByRole('radio', { name }).click();
  await page.getByRole('radio', { name, checked: true }).waitFor();
}

const goTo = (page, name) =>
  page.getByRole('navigation', { name: 'Main' }).getByText(name, { exact: true }).click();

/** What somebody else sees, in a browser that nobody has used. */
async function asGuest(url, look, options = {}) {
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

async function join(page, link, isLoggedIn = false) {
  await page.goto(link);
  // Whoever is logged in is asked first.
  if (isLoggedIn) await page.getByRole('button', { name: 'Go on and join' }).click();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Join' }).click();
}

export const steps = {
  async 'without a session the overview leads to log-in'({ page, url, faults }) {
    faults.expect(/^GET \/v1\/session: 401$/);
    await page.goto(`${url}/`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/log-in');
  },

  async 'a short password is refused at its field'({ page, state }) {
    state.email = `e2e-${Date.now()}-${process.pid}@example.com`;
    await page.getByRole('link', { name: 'Sign up' }).click();
    await page.getByLabel('Name').fill('End to End & Co');
    await page.getByLabel('E-mail').fill(state.email);
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByText('Too short: at least 12 characters.').waitFor();
  },

  async 'sign-up leads to an overview that has counted nothing'({ page, url }) {
    assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Berlin');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await textIs(page.getByTestId('total'), '0');
    const curl = await page.getByTestId('curl').textContent();
    assert.ok(curl.includes(`${url}/v1/activities`), curl);
  },

  async 'the token page makes a token and shows it once'({ page, state }) {
    await page.getByRole('navigation', { name: 'Main' }).getByText('Tokens').click();
    await page.getByTestId('no-tokens').waitFor();
    await page.getByLabel('Name').fill('end to end');
    await page.getByRole('button', { name: 'Make a token' }).click();
    state.token = await page.getByTestId('token-secret').textContent();
    assert.match(state.token, /^dbk_[0-9A-Za-z]{38}$/);
    await page.getByTestId('token-row').filter({ hasText: 'end to end' }).waitFor();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByTestId('issued').waitFor({ state: 'detached' });
    assert.ok(!(await page.content()).includes(state.token), 'the secret is still on the page');
  },

  async 'an activity sent with the token is counted without a reload'(all) {
    const { page, state } = all;
    await page.getByRole('navigation', { name: 'Main' }).getByText('Overview').click();
    await textIs(page.getByTestId('total'), '0');
    await page.evaluate(() => (window.notReloaded = true));
    const answer = await record(all, {
      type: 'page.viewed',
      actor: 'ada',
      value: 12.5,
      properties: { path: '/pricing', plan: 'team' },
      context: { user_agent: 'end to end' },
    });
    assert.equal(answer.status, 202, await answer.clone().text());
    state.activity = await answer.json();
    await textIs(page.getByTestId('total'), '1');
    await textIs(page.getByTestId('active-monthly'), '1');
    assert.equal(await page.evaluate(() => window.notReloaded), true);
  },

  async 'the feed has it with all that was sent'({ page, state }) {
    const item = page.getByTestId('feed-item');
    await item.waitFor();
    assert.equal(await item.count(), 1);
    for (const text of ['page.viewed', 'ada', '12.5']) await item.getByText(text).first().waitFor();
    await item.locator('summary').click();
    for (const text of ['/pricing', 'team', 'end to end', state.activity.id]) {
      await item.getByText(text, { exact: true }).waitFor();
    }
    await page.getByTestId('chart').waitFor();
  },

  async 'operations tell that everything is in the reports'({ page }) {
    await goTo(page, 'Operations');
    await page.getByTestId('no-dead-letters').waitFor();
    const projections = page.getByTestId('projections').locator('tbody tr');
    await projections.filter({ hasText: /^activities.*up to date/ }).waitFor();
    await goTo(page, 'Overview');
    await page.getByTestId('feed-item').first().waitFor();
  },

  async 'a filter is in the address and is the same after a reload'(all) {
    const { page } = all;
    const answer = await record(all, { type: 'invoice.paid', actor: 'bob' });
    assert.equal(answer.status, 202);
    await textIs(page.getByTestId('total'), '2');
    await choose(page, 'Last 30 days');
    await choose(page, 'Table');
    await page.getByRole('combobox', { name: 'Type' }).selectOption('invoice.paid');
    await textIs(page.getByTestId('total'), '1');
    const { search } = new URL(page.url());
    assert.equal(search, '?range=30d&type=invoice.paid&view=table');
    await page.reload();
    await textIs(page.getByTestId('total'), '1');
    await page.getByRole('region', { name: 'Activities over time' }).waitFor();
    assert.equal(await page.getByRole('combobox', { name: 'Type' }).inputValue(), 'invoice.paid');
    assert.ok(await page.getByRole('radio', { name: 'Last 30 days' }).isChecked());
    await page.getByTestId('feed-item').filter({ hasText: 'bob' }).waitFor();
    assert.equal(await page.getByTestId('feed-item').count(), 1);
    assert.equal(new URL(page.url()).search, search);
  },

  async 'a revoked token is refused'(all) {
    const { page } = all;
    await page.getByRole('navigation', { name: 'Main' }).getByText('Tokens').click();
    await page.getByRole('button', { name: 'Revoke end to end' }).click();
    const dialog = page.getByRole('dialog', { name: /^Revoke/ });
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByTestId('token-row').getByText('revoked').waitFor();
    const begun = performance.now();
    let answer = await record(all, { type: 'page.viewed', actor: 'eve' });
    while (answer.status !== 401 && performance.now() - begun < REVOKED_MAX_MS) {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      answer = await record(all, { type: 'page.viewed', actor: 'eve' });
    }
    assert.equal(answer.status, 401, `still let in after ${REVOKED_MAX_MS} ms`);
    assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  },

  async 'an invited analyst joins once, sees what analysts see, and is out when removed'({
    page,
    url,
    state,
  }) {
    const email = `guest-${state.email}`;
    await goTo(page, 'People');
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('radio', { name: /^analyst/ }).check();
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = await page.getByTestId('invite-link').textContent();
    assert.ok(link.startsWith(`${url}/join#token=dbi_`), link);
    await page.getByTestId('invitation-row').filter({ hasText: email }).waitFor();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByTestId('invited').waitFor({ state: 'detached' });
    assert.ok(!(await page.content()).includes(link), 'the link is still on the page');

    await asGuest(url, async (guest, faults) => {
      // It asks whether somebody is logged in.
      faults.expect(/^GET \/v1\/session: 401$/);
      await join(guest, link);
      await guest.getByRole('heading', { name: 'Overview' }).waitFor();
      assert.equal(guest.url(), `${url}/`);
      await guest.getByTestId('feed-item').first().waitFor();
      await goTo(guest, 'Tokens');
      await guest.getByTestId('no-admin').filter({ hasText: 'analyst' }).waitFor();
      await goTo(guest, 'People');
      await guest.getByTestId('no-manager').filter({ hasText: 'analyst' }).waitFor();
      await guest.getByTestId('member-row').filter({ hasText: email }).waitFor();
      assert.equal(await guest.getByTestId('member-row').count(), 2);
      assert.equal(await guest.getByRole('button', { name: /^Remove/ }).count(), 0);

      faults.expect(/^POST \/v1\/invitations\/accept: 404$/);
      await join(guest, link, true);
      await guest.getByRole('heading', { name: 'This link is good no more' }).waitFor();

      await page.reload();
      await page.getByRole('button', { name: `Remove ${email}` }).click();
      const dialog = page.getByRole('dialog', { name: /^Remove/ });
      await dialog.getByRole('button', { name: 'Remove' }).click();
      await page
        .getByTestId('member-row')
        .filter({ hasText: email })
        .waitFor({ state: 'detached' });
      faults.expect(/^GET \/v1\/[a-z/-]+: 401$/);
      await guest.goto(`${url}/people`);
      await guest.getByRole('heading', { name: 'Log in' }).waitFor();
    });
  },

  async 'content that nobody wishes for sticks out nowhere'({ url }) {
    await asGuest(url, async (page) => {
      await hostileCustomer({ page, url });
      await nothingSticksOut({ page, url });
    });
  },

  async 'a wrong clock and a zone that skips midnights count what was recorded'({ url }) {
    const look = async (page) => {
      await page.clock.install({ time: Date.now() - 3 * 60_000 });
      const email = `santiago-${Date.now()}-${process.pid}@example.com`;
      const time_zone = 'America/Santiago';
      const data = { name: 'Austral', email, password: PASSWORD, time_zone };
      const signedUp = await page.request.post(`${url}/v1/customers`, { data });
      const { csrf_token } = await signedUp.json();
      const sent = await page.request.post(`${url}/v1/activities`, {
        data: { type: 'page.viewed', actor: 'ada' },
        headers: { 'x-csrf-token': csrf_token },
      });
      assert.equal(sent.status(), 202);
      for (const range of ['1h', '24h', '7d', '30d', '12mo']) {
        await page.goto(`${url}/?range=${range}&view=table`);
        await textIs(page.getByTestId('total'), '1');
      }
      await page.goto(`${url}/?range=30d&view=table`);
      const table = page.getByRole('region', { name: 'Activities over time' });
      await table.waitFor();
      assert.equal(await table.locator('tbody tr').count(), 30);
    };
    await asGuest(url, look, { timezoneId: 'America/Santiago' });
  },

  async 'two windows of one browser do not mix two customers'({ url }) {
    await asGuest(url, async (page, faults) => {
      const signUp = async (name) => {
        const email = `${name}-${Date.now()}-${process.pid}@example.com`;
        const data = { name, email, password: PASSWORD };
        const answer = await page.request.post(`${url}/v1/customers`, { data });
        assert.equal(answer.status(), 201);
        return email;
      };
      const first = await signUp('first');
      await page.goto(`${url}/people`);
      await page.getByTestId('member-row').filter({ hasText: first }).waitFor();
      const second = await signUp('second');
      await goTo(page, 'Tokens');
      const notice = page.getByTestId('other-session');
      await notice.waitFor();
      const text = await notice.textContent();
      assert.ok(text.includes(first) && text.includes(second), text);
      await page.getByRole('button', { name: 'Go on as the other one' }).click();
      await page.getByTestId('no-tokens').waitFor();
      assert.ok(!(await page.content()).includes(first), 'the first customer is still on the page');
      faults.none();
    });
  },

  async 'a password is changed with the old one'({ page }) {
    const changed = 'staple of another stable';
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('link', { name: 'Password' }).click();
    for (const [old, fresh] of [
      [PASSWORD, changed],
      [changed, PASSWORD],
    ]) {
      await page.getByLabel('Old password').fill(old);
      await page.getByLabel('New password').fill(fresh);
      await page.getByRole('button', { name: 'Change the password' }).click();
      await page.getByText(/^Changed\./).waitFor();
      await page.waitForFunction(() => document.forms[0].elements.old_password.value === '');
    }
  },

  async 'the account menu leads to the sessions'({ page }) {
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('link', { name: 'Sessions' }).click();
    await page.getByTestId('session-row').filter({ hasText: 'this one' }).waitFor();
    await page.getByTestId('account-menu').waitFor({ state: 'hidden' });
    assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Sessions');
  },

  async 'the API docs list the operations'({ page, url }) {
    await page.getByRole('navigation', { name: 'Main' }).getByText('API docs').click();
    await page.locator('.opblock').first().waitFor();
    assert.equal(new URL(page.url()).href, `${url}/docs`);
    const paths = await page.locator('.opblock-summary-path').allTextContents();
    const listed = new Set(paths.map((path) => path.replaceAll('\u200b', '')));
    for (const path of ['/v1/activities', '/v1/tokens', '/v1/reports/activity']) {
      assert.ok(listed.has(path), `${path} is not among ${[...listed].join(' ')}`);
    }
  },

  async 'an address that is no page says so'({ page, url }) {
    await page.goto(`${url}/no-such-page`);
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    assert.equal(await page.title(), 'Not found · Daybook');
    await page.getByRole('link', { name: 'Go to the overview' }).click();
    await page.getByTestId('feed').waitFor();
  },

  async 'log-out leads to log-in, and the way back shows nothing'({ page, url, faults }) {
    // What was under way when the session ended is refused.
    faults.expect(/^GET \/v1\/[a-z/-]+: 401$/);
    await page.getByRole('button', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    assert.equal(page.url(), `${url}/log-in`);
    for (let back = 0; back < 3; back += 1) {
      await page.goBack();
      await page.getByRole('heading').first().waitFor();
      const seen = await page.locator('body').innerText();
      for (const text of ['End to End & Co', 'end to end', 'page.viewed']) {
        assert.ok(!seen.includes(text), `${text} is still to be seen at ${page.url()}`);
      }
    }
    await page.goto(`${url}/tokens`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  },

  async 'log-in leads back to the page that was asked for'({ page, url, faults, state }) {
    faults.expect(/^POST \/v1\/session: 401$/);
    await page.getByLabel('E-mail').fill(state.email);
    await page.getByLabel('Password', { exact: true }).fill('not the right one');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText(/No member has this address/).waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByTestId('token-row').waitFor();
    assert.equal(page.url(), `${url}/tokens`);
  },
};
