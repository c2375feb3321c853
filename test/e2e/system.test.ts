import { accessible, expect, signIn, test } from './patron.ts';

// An owner looks after the program: what was changed, what runs, whether the books add up.
test('an owner reads the audit trail, has the books checked and makes a backup', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/audit`);
  await expect(page.locator('table tbody tr[data-row-key]').first()).toBeVisible();
  await accessible(page);

  await page.goto(`${demo.url}/system`);
  await page.getByRole('button', { name: /核对账目|Check the books/ }).click();
  await page.getByRole('button', { name: /立即备份|Back up now/ }).click();
  await page.goto(`${demo.url}/jobs`);
  const jobs = page.locator('table tbody tr[data-row-key]');
  await expect(jobs.filter({ hasText: /backup/ }).first()).toContainText(/完成|Done/, { timeout: 40_000 });
  await accessible(page);
  await page.goto(`${demo.url}/system`);
  await expect(page.locator('main aside')).toContainText(/全部对得上|They add up/, { timeout: 20_000 });
  await expect(page.locator('table')).toContainText(/已试恢复|Restored for trial/);
  await accessible(page);
});
