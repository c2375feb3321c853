import { accessible, expect, signIn, test } from './patron.ts';

// An analyst: figures, a filter that stands in the address, what is owed, and a file of it.
test('an analyst reads the overview, filters sales and exports what is owed', async ({ page, demo }) => {
  await signIn(page, demo, 'analyst');
  await expect(page.locator('dl dd').first()).not.toBeEmpty();
  await accessible(page);

  await page.goto(`${demo.url}/sales?kind=return`);
  const rows = page.locator('table tbody tr[data-row-key]');
  await expect(rows.first()).toBeVisible();
  await accessible(page);
  const returns = await rows.count();
  expect(returns).toBeGreaterThan(0);
  await rows.first().locator('a').first().click();
  await expect(page).toHaveURL(/\/sales\/sal_/);
  await accessible(page);
  await page.goBack();
  await expect(page).toHaveURL(/kind=return/);
  await expect(rows).toHaveCount(returns);

  await page.goto(`${demo.url}/liability`);
  await expect(page.locator('figure')).toBeVisible();
  await accessible(page);
  const download = page.waitForEvent('download');
  await page.locator('header button', { hasText: /导出|Export/ }).click();
  expect((await download).suggestedFilename()).toMatch(/\.csv$/);
});

// The search finds a member by number from anywhere, with the keyboard alone.
test('the search is opened by a key and leads to what it found', async ({ page, demo }) => {
  await signIn(page, demo, 'manager');
  await expect(page.getByRole('button', { name: /^(搜索|Search)$/ })).toBeVisible();
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog').getByRole('combobox')).toBeFocused();
  await page.keyboard.type('8000001');
  await expect(page.getByRole('option').first()).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/members\/mem_/);
});

// A cashier has no reports, and is told so in a friendly way.
test('who may not see a page is told which permission it is', async ({ page, demo }) => {
  await signIn(page, demo, 'cashier');
  await page.goto(`${demo.url}/liability`);
  await expect(page.locator('main')).toContainText(/权限|permission/i);
  await accessible(page);
});
