// The other pages.
import assert from 'node:assert/strict';
import { PASSWORD } from '../actions.js';

export const pagesSteps = {
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
};
