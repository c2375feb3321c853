import type { Browser, Page } from '@playwright/test';
import { accessible, enter, expect, freshPhone, overhang, type Server, signIn, test } from './patron.ts';

/** Somebody new, signed in to the portal on a phone of their own. */
async function guest(browser: Browser, server: Server, name: string): Promise<Page> {
  const page = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 390, height: 844 } })).newPage();
  const phone = freshPhone();
  await server.api('/v1/members', { phone, name, language: 'zh-CN' });
  await enter(page, server, { phone });
  return page;
}

test('a coupon from the designer to a friend of who claimed it', async ({ page, browser, demo }) => {
  const code = `e2e-${Date.now()}`;
  await signIn(page, demo, 'manager');
  await page.goto(`${demo.url}/coupons/new`);
  await page.locator('#name_zh').fill('试饮减十元');
  await page.locator('#name_en').fill('Ten off a tasting');
  await page.locator('#code').fill(code);
  await page.locator('#effect_amount').fill('10');
  await page.locator('#minimum_amount').fill('50');
  await page.locator('#transferable').check();
  const aside = page.locator('aside').last();
  await expect(aside.locator('article')).toContainText('10'); // the preview follows the form
  await expect(aside).toContainText('90.00'); // 100 less 10, worked out by the server
  await page.locator('header button.ant-btn-primary').last().click();
  await expect(page).toHaveURL(/\/coupons\/cpn_/);
  await page.locator('header button.ant-btn-primary').click();
  await page.locator('.ant-modal .ant-btn-primary').click();
  await expect(page.locator('.ant-modal')).toBeHidden();
  await accessible(page);

  const anna = await guest(browser, demo, '安然');
  await anna.goto(`${demo.url}/portal/coupons/claim`);
  await anna.getByRole('button', { name: '领取试饮减十元' }).click();
  await expect(anna.getByText('领到了。')).toBeVisible();
  await anna.goto(`${demo.url}/portal/coupons`);
  await accessible(anna);
  expect(await overhang(anna)).toBe(0);
  await anna.getByRole('button', { name: '使用试饮减十元' }).click();
  await expect(anna.locator('dialog img')).toBeVisible();
  const shown = (await anna.locator('dialog .vouchercode').textContent())!;
  await anna.getByRole('button', { name: '送给朋友' }).click();
  await anna.getByRole('button', { name: '生成链接' }).click();
  const link = (await anna.getByTestId('gift-link').textContent())!;

  const friend = await guest(browser, demo, '贝贝');
  await friend.goto(link);
  await friend.getByRole('button', { name: '收下' }).click();
  await expect(friend.getByRole('status')).toContainText('试饮减十元');
  await anna.goto(`${demo.url}/portal/coupons`);
  await expect(anna.getByText('现在没有能用的券')).toBeVisible();

  await page.goto(`${demo.url}/coupons/codes?code=${encodeURIComponent(shown.toLowerCase())}`);
  await expect(page.locator('ol li')).toHaveCount(4); // issued, claimed, offered, accepted
});
