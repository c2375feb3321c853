import type { Page } from '@playwright/test';
import { accessible, expect, overhang, type Server, signIn, test } from './patron.ts';

let key: string | undefined;

async function api<T>(server: Server, path: string, body: object): Promise<T> {
  key ??= server.command('key', 'create', '--name', 'e2e-coupons', '--scopes', 'all').trim();
  const answer = await fetch(server.url + path, { method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', 'Idempotency-Key': `e2e-${Math.random()}` }, body: JSON.stringify(body) });
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
  return (await answer.json()) as T;
}

/** Somebody new, signed in to the portal. */
async function enter(page: Page, server: Server, phone: string, name: string) {
  await api(server, '/v1/members', { phone, name, language: 'zh-CN' });
  const { challenge } = (await (await page.request.post(`${server.url}/portal/v1/codes`, { data: { phone } })).json()) as { challenge: string };
  let code: string | undefined;
  await expect.poll(async () => {
    const { items } = (await (await fetch(`${server.url}/portal/v1/inbox`)).json()) as { items: { to: string; code: string }[] };
    return (code = items.find((m) => m.to.endsWith(phone))?.code);
  }).toBeDefined();
  expect((await page.request.post(`${server.url}/portal/v1/sign-in`, { data: { phone, challenge, code } })).status()).toBe(201);
}

const phone = () => `139${String(Date.now() % 1e8).padStart(8, '0')}`;

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

  const anna = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 390, height: 844 } })).newPage();
  await enter(anna, demo, phone(), '安然');
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

  const friend = await (await browser.newContext({ locale: 'zh-CN', viewport: { width: 390, height: 844 } })).newPage();
  await enter(friend, demo, phone(), '贝贝');
  await friend.goto(link);
  await friend.getByRole('button', { name: '收下' }).click();
  await expect(friend.getByRole('status')).toContainText('试饮减十元');
  await anna.goto(`${demo.url}/portal/coupons`);
  await expect(anna.getByText('现在没有能用的券')).toBeVisible();

  await page.goto(`${demo.url}/coupons/codes?code=${encodeURIComponent(shown.toLowerCase())}`);
  await expect(page.locator('ol li')).toHaveCount(4); // issued, claimed, offered, accepted
});
