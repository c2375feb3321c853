import { accessible, expect, overhang, signIn, test } from './patron.ts';

/** The catalogue and the queue as staff see them: pictures, an editor with prices, and handing over by a code that is none. */
test('the catalogue and what was ordered', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/rewards`);
  await page.locator('tr[data-row-key] img').first().waitFor();
  expect(await page.locator('tr[data-row-key]').count()).toBeGreaterThanOrEqual(8);
  await accessible(page);
  await page.locator('tr[data-row-key] a').first().click();
  await page.locator('fieldset legend').first().waitFor();
  expect(await overhang(page)).toBe(0);
  await page.goto(`${demo.url}/rewards/orders?state=all`);
  await page.locator('tr[data-row-key]').first().waitFor();
  await accessible(page);
  await page.goto(`${demo.url}/rewards/orders`);
  await page.locator('main .ant-btn-primary, header .ant-btn-primary').first().click();
  await page.locator('#pickup-code').fill('AAAA-AAAA-AAAAB');
  await page.locator('.ant-modal-footer .ant-btn-primary').click();
  await expect(page.locator('.ant-modal [role=alert]')).toBeVisible();
});
