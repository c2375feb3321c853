import type { Page } from '@playwright/test';
import { accessible, expect, type Server, signIn, test } from './patron.ts';

const button = (page: Page, name: RegExp) => page.getByRole('button', { name });

interface Somebody { id: string; number: string; name: string }

/** A member made for this test alone, so that nobody meets them. */
async function somebody(page: Page, server: Server, name: string): Promise<Somebody> {
  const made = await page.request.post(`${server.url}/v1/members`, { headers: { 'Idempotency-Key': crypto.randomUUID(), Origin: server.url }, data: { name, card: `E2E${crypto.randomUUID().slice(0, 12)}` } });
  expect(made.status()).toBe(201);
  return (await made.json()) as Somebody;
}

async function give(page: Page, server: Server, id: string, amount: number) {
  const given = await page.request.post(`${server.url}/v1/members/${id}/adjustments`, { headers: { 'Idempotency-Key': crypto.randomUUID(), Origin: server.url }, data: { currency: 'points', amount, reason: 'for the journey' } });
  expect(given.status()).toBe(201);
}

async function points(page: Page, server: Server, id: string) {
  const list = (await (await page.request.get(`${server.url}/v1/members/${id}/wallets`)).json()) as { currency: string; available: number }[];
  return list.find((w) => w.currency === 'points')?.available ?? 0;
}

async function more(page: Page, what: RegExp) {
  await button(page, /^(更多|More)$/).first().click();
  await page.getByRole('menuitem', { name: what }).click();
}

/** Finds another member in the field of a dialog. */
async function pick(page: Page, id: string, other: Somebody) {
  await page.locator(id).click();
  await page.locator(id).pressSequentially(other.number);
  await page.locator('.ant-select-item-option:visible').filter({ hasText: other.number }).click();
}

test('a member is edited, blocked and let go on; consents are written down and taken back', async ({ page, demo }) => {
  await signIn(page, demo, 'manager');
  const one = await somebody(page, demo, 'Edith Block');
  await page.goto(`${demo.url}/members/${one.id}`);
  await more(page, /^(改资料|Edit profile)$/);
  await page.locator('#city').fill('Hangzhou');
  await page.locator('#name').fill('Edith Bloom');
  await accessible(page);
  await button(page, /^(保存资料|Save profile)$/).click();
  await expect(page.getByRole('heading', { level: 2, name: 'Edith Bloom' })).toBeVisible();
  const kept = (await (await page.request.get(`${demo.url}/v1/members/${one.id}`)).json()) as { city: string };
  expect(kept.city).toBe('Hangzhou');

  await more(page, /^(停用|Block)$/);
  const dialog = page.getByRole('dialog');
  await dialog.locator('textarea').fill('card was stolen');
  await accessible(page);
  await dialog.getByRole('button', { name: /^(停用|Block)$/ }).click();
  await expect(page.getByText(/^(已停止用分|May not spend)$/)).toBeVisible();
  await more(page, /^(恢复使用|Unblock)$/);
  await dialog.locator('textarea').fill('card was found');
  await dialog.getByRole('button', { name: /^(恢复|Unblock)$/ }).click();
  await expect(page.getByText(/^(已停止用分|May not spend)$/)).toHaveCount(0);

  await page.goto(`${demo.url}/members/${one.id}/privacy`);
  await button(page, /^(记一条授权|Write down a consent)$/).click();
  for (const field of ['#purpose', '#channel', '#source']) { // the first of each
    await dialog.locator(field).click();
    await page.keyboard.press('Enter');
  }
  await expect(page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden)')).toHaveCount(0); // it fades away
  await accessible(page);
  await dialog.getByRole('button', { name: /^(会员同意|Member agrees)$/ }).click();
  await expect(page.getByText(/^(同意|Agrees)$/).first()).toBeVisible();
  await button(page, /^(收回|Take back)$/).first().click();
  await dialog.getByRole('button', { name: /^(收回|Take back)$/ }).click();
  await expect(page.getByText(/^(已收回|Taken back)$/).first()).toBeVisible();
});

test('points are given to another; two records become one, and two again', async ({ page, demo }) => {
  await signIn(page, demo, 'manager');
  const [a, b] = [await somebody(page, demo, 'Anna Twice'), await somebody(page, demo, 'Anna Again')];
  await give(page, demo, a.id, 300);
  await page.goto(`${demo.url}/members/${a.id}`);
  await more(page, /^(转给别人|Give points to another)$/);
  await pick(page, '#transfer-to', b);
  await page.locator('#transfer-amount').fill('100');
  const dialog = page.getByRole('dialog');
  await dialog.locator('textarea').fill('for the cake');
  await accessible(page);
  await dialog.getByRole('button', { name: /^(转 |Give )/ }).click();
  await expect(dialog).toBeHidden();
  expect(await points(page, demo, b.id)).toBe(100);
  const rest = await points(page, demo, a.id);

  // What moves is shown before anything does.
  await more(page, /^(合并重复资料|Merge with another record)$/);
  await pick(page, '#merge-other', b);
  await expect(dialog.getByText(/会多出|gains/)).toBeVisible();
  await expect(dialog).toContainText(b.number);
  await expect(dialog).toContainText((rest + 100).toLocaleString('en'));
  await accessible(page);
  await dialog.getByRole('button', { name: /^(并入|Merge into )/ }).click();
  await expect(dialog).toBeHidden();
  await expect.poll(() => points(page, demo, a.id)).toBe(rest + 100);

  await more(page, /^(拆开已合并的|Take a merged record out)$/);
  await accessible(page);
  await dialog.getByRole('button', { name: /^(拆开|Take out)$/ }).click();
  await expect.poll(() => points(page, demo, b.id)).toBe(100);
  expect(await points(page, demo, a.id)).toBe(rest);
});

test('a member is erased only when the number was typed', async ({ page, demo }) => {
  await signIn(page, demo, 'manager');
  const one = await somebody(page, demo, 'Leaving Soon');
  await page.goto(`${demo.url}/members/${one.id}`);
  await more(page, /^(删除个人资料|Erase personal data)$/);
  const act = button(page, /^(永久删除|Erase for good)$/);
  await expect(act).toBeDisabled();
  await page.locator('#typed').fill(one.number);
  await accessible(page);
  await act.click();
  await expect(page.getByRole('alert').first()).toBeVisible();
  await expect(page.getByRole('heading', { level: 2, name: 'Leaving Soon' })).toHaveCount(0);
});

test('many members are tagged at once', async ({ page, demo }, info) => {
  await signIn(page, demo, 'manager');
  const tag = `batch-${info.project.name}`;
  await page.goto(`${demo.url}/members`);
  const boxes = page.locator('tbody tr.ant-table-row .ant-checkbox-input');
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await button(page, /^(给 2 人打标签|Tag 2)$/).click();
  await page.locator('#add').fill(tag);
  await page.keyboard.press('Enter');
  await accessible(page);
  await button(page, /^(改标签|Change tags)$/).click();
  await expect(page.getByRole('dialog')).toContainText(/改了 2 人|2 changed/);
  await button(page, /^(关上|Close)$/).last().click();
  await page.goto(`${demo.url}/members?tag=${tag}`);
  await expect(page.locator('tbody tr.ant-table-row')).toHaveCount(2);
});
