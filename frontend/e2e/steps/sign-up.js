// Signing up.
import assert from 'node:assert/strict';
import { PASSWORD, textIs } from '../actions.js';

export const signUpSteps = {
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
};
