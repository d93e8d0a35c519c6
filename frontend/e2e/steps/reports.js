// The page of reports.
import assert from 'node:assert/strict';
import { goTo } from '../actions.js';

export const reportsSteps = {
  async 'what is chosen for a report is in the address and is the same after a reload'({ page }) {
    await goTo(page, 'Reports');
    const table = page.getByRole('region', { name: 'Activity as a table' });
    await table.getByRole('columnheader', { name: 'Activities' }).waitFor();
    await page.getByRole('combobox', { name: 'Measure' }).selectOption('Actors');
    await table.getByRole('columnheader', { name: 'Actors' }).waitFor();
    await page.getByLabel('Group by').fill('type');
    await page.getByLabel('Field').fill('properties.plan');
    await page.getByLabel('Value').fill('team');
    await page.getByRole('button', { name: 'Show' }).click();
    await table.getByRole('columnheader', { name: 'page.viewed' }).waitFor();
    assert.equal(await table.getByRole('columnheader').count(), 2, 'only one type has the plan');
    const chosen = new URL(page.url()).searchParams;
    assert.deepEqual(Object.fromEntries(chosen), {
      report: 'activity',
      range: '30d',
      measure: 'actors',
      group_by: 'type',
      filter: '["is","properties.plan","team"]',
    });
    await page.reload();
    await table.getByRole('columnheader', { name: 'page.viewed' }).waitFor();
    assert.equal(await page.getByLabel('Value').inputValue(), 'team');
  },

  async 'paths show what follows a type'({ page }) {
    await page.getByRole('combobox', { name: 'Report' }).selectOption('Paths');
    await page.getByLabel('Type to begin with').fill('page.viewed');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('region', { name: 'Paths as a table' }).getByText('page.viewed').waitFor();
  },
};
