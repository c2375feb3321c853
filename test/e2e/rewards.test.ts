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

/** The till tells codes apart, and the page of a member has what they hold and ordered. */
test('a code that is no pick-up code, and what a member holds', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  const get = async <T>(path: string) => (await (await page.request.get(`${demo.url}${path}`)).json()) as T;
  const orders = (await get<{ items: { member_id: string }[] }>('/v1/reward-orders?limit=50')).items;
  let held: { member: string; shown: string } | undefined;
  for (const { member_id: member } of orders) {
    const [voucher] = (await get<{ items: { shown: string }[] }>(`/v1/members/${member}/vouchers`)).items;
    if (voucher) held = { member, shown: voucher.shown };
    if (held) break;
  }
  expect(held, 'somebody of the demonstration ordered something and holds a coupon').toBeDefined();
  await page.goto(`${demo.url}/members/${held!.member}/benefits`);
  await expect(page.getByRole('link', { name: held!.shown })).toBeVisible();
  await expect(page.locator('main table')).toHaveCount(2);
  await accessible(page);
  expect(await overhang(page)).toBe(0);

  await page.goto(`${demo.url}/till`);
  await page.getByRole('button', { name: 'T1', exact: true }).first().click();
  await expect(page.locator('#till-find')).toBeFocused();
  await page.keyboard.press('F8');
  await page.keyboard.press('g');
  const dialog = page.getByRole('dialog');
  for (const [code, said] of [[held!.shown, /这是优惠券的券码|code of a coupon/], ['AAAA-AAAA-AAAAB', /没有凭这个码|Nothing is to be picked up/]] as const) {
    await dialog.locator('#till-pickup').fill(code);
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toContainText(said);
  }
  await accessible(page);
});
