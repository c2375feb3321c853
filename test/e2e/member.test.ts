import type { Page } from '@playwright/test';
import { accessible, expect, overhang, type Server, signIn, test } from './patron.ts';

const button = (page: Page, name: RegExp) => page.getByRole('button', { name });

/** One of the demonstration's members; each project takes another, so that they do not meet. */
async function somebody(page: Page, server: Server, nth: number) {
  const { items } = (await (await page.request.get(`${server.url}/v1/members?limit=40`)).json()) as { items: { id: string; number: string; name: string }[] };
  return items[nth]!;
}

async function points(page: Page, server: Server, id: string) {
  const list = (await (await page.request.get(`${server.url}/v1/members/${id}/wallets`)).json()) as { currency: string; available: number }[];
  return list.find((w) => w.currency === 'points')!.available;
}

test('a manager finds a member and adjusts over the limit; a second person agrees', async ({ page, demo, browser }, info) => {
  await signIn(page, demo, 'manager');
  const member = await somebody(page, demo, 10 + info.workerIndex);
  for (const [what, body] of [['adjustments', { amount: 20, reason: 'welcome' }], ['spendings', { amount: 5, reason: 'tea', source: 'e2e', document: info.project.name }]] as const) { // so that what there is is not what was earned
    const made = await page.request.post(`${demo.url}/v1/members/${member.id}/${what}`, { headers: { 'Idempotency-Key': crypto.randomUUID(), Origin: demo.url }, data: { currency: 'points', ...body } });
    expect(made.status()).toBe(201);
  }
  await page.goto(`${demo.url}/members`);
  await expect(page.getByRole('link', { name: member.name }).first()).toBeVisible();
  await accessible(page);

  // The filter is in the address, and finds exactly one.
  await page.getByPlaceholder(/姓名、手机|Name, phone/).fill(member.number);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`q=${member.number}`));
  await expect(page.locator('tbody tr.ant-table-row')).toHaveCount(1);
  await page.getByRole('link', { name: member.name }).click();
  await expect(page.getByRole('heading', { level: 2, name: member.name })).toBeVisible();
  await accessible(page);

  const before = await points(page, demo, member.id);
  const wallet = page.getByRole('heading', { level: 2, name: /^(积分|Points)$/ }).locator('xpath=../..');
  await expect(wallet.locator('p').first(), 'what may be used of points, and of nothing else').toContainText(before.toLocaleString('en'));
  await button(page, /^(调整积分|Adjust points)$/).click();
  await page.locator('#adjust-amount').fill('1500');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(/要另一人审批|waits for a second person/);
  await expect(dialog).toContainText((before + 1500).toLocaleString('en'));
  await dialog.locator('textarea').fill('slip was checked');
  await accessible(page);
  await dialog.getByRole('button', { name: /送审批|ask for approval/ }).click();
  await expect(dialog).toBeHidden();
  expect(await points(page, demo, member.id), 'nothing moves before somebody agrees').toBe(before);

  // Not the one who asked: somebody else, in a browser of their own.
  const context = await browser.newContext({ viewport: page.viewportSize(), locale: info.project.use.locale });
  const second = await context.newPage();
  await signIn(second, demo, 'owner');
  await second.goto(`${demo.url}/approvals`);
  const asked = second.locator('tr[data-row-key]').filter({ has: second.locator(`a[href="/members/${member.id}"]`) });
  await expect(asked).toContainText('slip was checked');
  await accessible(second);
  await asked.getByRole('button', { name: /^(同意|Agree|Approve)/ }).click();
  const ask = second.getByRole('dialog');
  await expect(ask).toContainText('1,500');
  await accessible(second);
  await ask.locator('.ant-btn-primary').click();
  await expect(asked).toHaveCount(0);
  await context.close();

  await page.reload();
  expect(await points(page, demo, member.id)).toBe(before + 1500);
  await expect(page.locator('tbody')).toContainText('+1,500');
  await expect(page.locator('tbody')).toContainText('slip was checked');
});

test('an agent writes a note, logs a call and finishes a task', async ({ page, demo }, info) => {
  await signIn(page, demo, 'agent');
  const member = await somebody(page, demo, 20 + info.workerIndex);
  await page.goto(`${demo.url}/members/${member.id}/notes`);
  await page.getByPlaceholder(/写下同事|What should colleagues/).fill('three sugars, no peanuts');
  await page.getByRole('checkbox').first().check();
  await button(page, /^(记下备注|Save note)$/).click();
  await expect(page.locator('main section').first()).toContainText('three sugars, no peanuts'); // pinned beside the name
  await expect(page.getByRole('listitem').filter({ hasText: 'three sugars' }).first()).toBeVisible();

  await button(page, /^(记一通电话|Log a call)$/).click();
  await page.locator('#text').last().fill('asked about points');
  await button(page, /^(记下电话|Log call)$/).click();
  await expect(page.getByText('asked about points').first()).toBeVisible();
  await accessible(page);

  // By the keyboard alone: on to the tasks.
  await page.locator('main').getByRole('link', { name: /^(待办|Tasks)$/ }).focus(); // the menu has one too
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/tasks$/);
  await button(page, /^(加待办|Add task)$/).click();
  await page.locator('#title').fill('ring back about the card');
  await page.getByRole('dialog').getByRole('button', { name: /^(加上|Add task)$/ }).click();
  const task = page.getByRole('listitem').filter({ hasText: 'ring back about the card' }).first();
  await expect(task).toBeVisible();
  await accessible(page);
  await task.getByRole('button', { name: /^(完成|Done)$/ }).click();
  await page.locator('#outcome').fill('card was sent');
  await button(page, /^(标为完成|Mark as done)$/).click();
  await page.goto(`${demo.url}/members/${member.id}/tasks?state=done`);
  await expect(page.getByText('card was sent').first()).toBeVisible();

  for (const part of ['sales', 'timeline', 'privacy']) {
    await page.goto(`${demo.url}/members/${member.id}/${part}`);
    await expect(page.locator('nav a[aria-current=page]').last()).toBeVisible();
    await page.waitForLoadState('networkidle');
    await accessible(page);
  }
  expect(await overhang(page), 'no sideways scroll').toBe(0);
});

test('an analyst sees nobody, and is told who may', async ({ page, demo }) => {
  await signIn(page, demo, 'analyst');
  await expect(page.getByRole('navigation').getByRole('link', { name: /^(会员|Members)$/ })).toHaveCount(0);
  await page.goto(`${demo.url}/members`);
  await expect(page.getByText(/有这个权限的角色|These roles have it/)).toBeVisible();
  await accessible(page);
});

test('a manager exports what the filters leave; a view keeps them', async ({ page, demo }) => {
  await signIn(page, demo, 'manager');
  await page.goto(`${demo.url}/members?tag=${encodeURIComponent('茶友')}`);
  await expect(page.locator('tbody tr.ant-table-row').first()).toBeVisible();
  await button(page, /^(存成视图|Save as view)$/).click();
  await page.locator('#name').fill('tea');
  await button(page, /^(存下|Save view)$/).click();
  await expect(button(page, /^tea$/)).toHaveAttribute('aria-current', 'true');

  await button(page, /^(导出|Export)$/).click();
  await page.getByRole('radio', { name: 'CSV' }).check();
  await accessible(page);
  await button(page, /^(开始导出|Write the file)$/).click();
  const link = page.getByRole('link', { name: /^(下载文件|Download)$/ });
  await expect(link).toBeVisible();
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(file.suggestedFilename()).toMatch(/\.csv$/);
});
