// Content, clocks and sessions that go wrong easily.
import assert from 'node:assert/strict';
import { PASSWORD, textIs, goTo, asGuest } from '../actions.js';
import { hostileCustomer, nothingSticksOut } from '../hostile.js';

export const contentSteps = {
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
};
