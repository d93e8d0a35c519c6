// A token, what is recorded with it, and the overview.
import assert from 'node:assert/strict';
import { record, textIs, choose, goTo } from '../actions.js';

const REVOKED_MAX_MS = 5_000;
const ASK_AGAIN_MS = 50;

export const recordingSteps = {
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
};
