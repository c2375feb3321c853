import type { Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { accessible, emailOf, expect, overhang, type Server, signIn, test } from './patron.ts';

const button = (page: Page, name: RegExp) => page.getByRole('button', { name });

/** One of the demonstration's members; each project takes another. */
async function somebody(page: Page, server: Server, nth: number) {
  const { items } = (await (await page.request.get(`${server.url}/v1/members?limit=60`)).json()) as { items: { id: string; name: string }[] };
  return items[nth]!;
}

test('a task made on a member is on the list; it goes to a colleague, comes back, and is done', async ({ page, demo }, info) => {
  await signIn(page, demo, 'agent');
  const member = await somebody(page, demo, 40 + info.workerIndex);
  const title = `ring about the tea ${info.project.name}`;
  await page.goto(`${demo.url}/members/${member.id}/tasks`);
  await button(page, /^(加待办|Add task)$/).click();
  await page.locator('#title').fill(title);
  await page.getByRole('dialog').getByRole('button', { name: /^(加上|Add task)$/ }).click();
  await expect(page.getByRole('listitem').filter({ hasText: title }).first()).toBeVisible();

  // Mine, with the way to the member.
  await page.goto(`${demo.url}/tasks`);
  const row = page.locator('tbody tr.ant-table-row').filter({ hasText: title });
  await expect(row).toContainText(member.name);
  await accessible(page);

  // Given to a colleague, it leaves mine and stays among everyone's. The filter is in the address.
  await row.getByRole('button', { name: /^(改|Edit)$/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('#owner').click();
  await page.keyboard.type(emailOf('manager'));
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: /^(保存|Save)$/ }).click();
  await expect(dialog).toBeHidden();
  await expect(row).toHaveCount(0);
  await page.getByText(/^(所有人的|Everyone's)$/).click();
  await expect(page).toHaveURL(/owner=all/);
  await expect(row).toContainText(emailOf('manager'));
  await page.reload();
  await expect(row).toBeVisible();

  await row.getByRole('button', { name: /^(完成|Done)$/ }).click();
  await page.locator('#outcome').fill('she comes on Friday');
  await accessible(page);
  await button(page, /^(标为完成|Mark as done)$/).click();
  await expect(row).toHaveCount(0);
  await page.goto(`${demo.url}/tasks?owner=all&state=done`);
  await expect(row).toContainText('she comes on Friday');
  await accessible(page);
  expect(await overhang(page), 'no sideways scroll').toBe(0);

  // Where the overview leads.
  await page.goto(`${demo.url}/tasks?owner=me&due=now`);
  await expect(button(page, /^(已逾期|Overdue)$/)).toHaveAttribute('aria-pressed', 'true');
});

test('who is mentioned hears of it', async ({ page, demo, browser }, info) => {
  await signIn(page, demo, 'agent');
  const member = await somebody(page, demo, 45 + info.workerIndex);
  const said = `please look at this ${info.project.name}`;
  await page.goto(`${demo.url}/members/${member.id}/notes`);
  const note = page.getByPlaceholder(/写下同事|What should colleagues/);
  await note.pressSequentially(`@${emailOf('manager').slice(0, 4)}`);
  await page.keyboard.press('Enter'); // the first that is offered
  await note.pressSequentially(said);
  await button(page, /^(记下备注|Save note)$/).click();
  await expect(page.getByRole('listitem').filter({ hasText: said }).first()).toBeVisible();

  const other = await browser.newPage();
  await signIn(other, demo, 'manager');
  const bell = other.getByRole('button', { name: /新提醒|new mention/ });
  await bell.click();
  await other.getByRole('listitem').filter({ hasText: said }).getByRole('link').click();
  await expect(other).toHaveURL(new RegExp(`/members/${member.id}/notes`));
  await expect(other.getByRole('listitem').filter({ hasText: said }).first()).toBeVisible();
  await other.close();
});

test('an analyst filters sales, exports them and opens the file; products are found and read', async ({ page, demo }) => {
  await signIn(page, demo, 'analyst');
  await page.goto(`${demo.url}/sales?kind=return`);
  await expect(page.locator('tbody tr.ant-table-row').first()).toBeVisible();
  await button(page, /^(导出|Export)$/).click();
  await page.getByRole('radio', { name: 'CSV' }).check();
  await button(page, /^(开始导出|Write the file)$/).click();
  const link = page.getByRole('link', { name: /^(下载文件|Download)$/ });
  await expect(link).toBeVisible();
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  const lines = readFileSync(await file.path(), 'utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(1);

  await page.goto(`${demo.url}/products`);
  const first = page.locator('tbody tr.ant-table-row').first();
  await expect(first).toBeVisible();
  await accessible(page);
  await first.getByRole('link').click();
  await expect(page.locator('dl')).toBeVisible();
  await accessible(page);
  await expect(button(page, /^(修改|Edit)$/)).toHaveCount(0); // looks, does not touch
});

test('a manager changes what a product is called', async ({ page, demo }, info) => {
  await signIn(page, demo, 'manager');
  await page.goto(`${demo.url}/products`);
  await page.locator('tbody tr.ant-table-row').nth(info.workerIndex % 10).getByRole('link').click();
  await button(page, /^(修改|Edit)$/).click();
  await page.locator('#brand').fill('Tea house');
  await page.locator('#price').fill('12.5');
  await accessible(page);
  await button(page, /^(保存商品|Save product)$/).click();
  await expect(page.locator('dl')).toContainText('Tea house');
  await expect(page.locator('dl')).toContainText('12.50');
});
