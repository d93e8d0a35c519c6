// Log-out and log-in.
import assert from 'node:assert/strict';
import { PASSWORD } from '../actions.js';

export const logInSteps = {
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
