// Invitations and members.
import assert from 'node:assert/strict';
import { goTo, asGuest, join } from '../actions.js';

export const peopleSteps = {
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
};
