import { readFileSync } from 'node:fs';
import { accessible, expect, overhang, signIn, test } from './patron.ts';

test('a manager imports members; what was refused comes back as a file', async ({ page, demo }, info) => {
  await signIn(page, demo, 'manager');
  await page.goto(`${demo.url}/members`);
  await page.getByRole('button', { name: /^(导入|Import)$/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  const n = info.project.name.length * 10 + info.workerIndex; // nobody else's numbers
  const rows = Array.from({ length: 12 }, (_, i) => `${info.project.name}-${i},王${i},139${String(n).padStart(3, '0')}${String(10000 + i)},茶友`);
  await dialog.locator('input[type=file]').setInputFiles({
    name: 'members.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(['会员号,姓名,联络,标签', ...rows, 'x1,坏一,不是电话,茶友', 'x2,坏二,12,茶友', ''].join('\n')),
  });
  await accessible(page);
  await dialog.getByRole('button', { name: /^(上传|Upload)$/ }).click();

  // The columns were guessed; the one with an odd name is said by hand.
  await expect(page).toHaveURL(/\/imports\/imp_/);
  await expect(page.getByText('139', { exact: false }).first()).toBeVisible();
  const contact = page.getByRole('combobox', { name: /联络/ });
  await contact.click();
  await page.keyboard.type(info.project.name.endsWith('zh') ? '手机' : 'Phone');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/带不带国家码|With or without country code/)).toBeVisible();
  await accessible(page);

  // A trial keeps nothing, and what was chosen is still there after it.
  await page.getByRole('button', { name: /^(先试读|Only try it)$/ }).click();
  await expect(page.getByRole('heading', { name: /^(试读结果|The trial)$/ })).toBeVisible();
  await expect(page.getByText(/^(已试读|Tried)$/)).toBeVisible();
  await expect(page.getByText(/带不带国家码|With or without country code/)).toBeVisible();

  await page.getByRole('button', { name: /^(导入会员|Import members)$/ }).click();
  await expect(page.getByRole('heading', { name: /^(结果|What came of it)$/ })).toBeVisible();
  const figure = (name: RegExp) => page.locator('dl div').filter({ has: page.locator('dt', { hasText: name }) }).locator('dd');
  await expect(figure(/^(行数|Rows)$/)).toHaveText('14');
  await expect(figure(/^(已导入|Taken)$/)).toHaveText('12');
  await expect(figure(/^(被拒绝|Refused)$/)).toHaveText('2');
  await page.getByRole('button', { name: /^(查看被拒绝的行|Show refused rows)$/ }).click();
  await expect(page.getByRole('cell', { name: '不是电话' })).toBeVisible();
  await accessible(page);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /^(下载错误文件|Download the refused rows)$/ }).click()]);
  const text = readFileSync(await file.path(), 'utf8');
  expect(text.trim().split('\n')).toHaveLength(3);
  expect(text).toContain('不是电话');

  await page.getByRole('link', { name: /^(查看导入的内容|See what came in)$/ }).click();
  await expect(page.getByRole('link', { name: '王11' }).first()).toBeVisible();

  // It is on the list of what was imported.
  await page.goto(`${demo.url}/imports`);
  await expect(page.locator('tbody tr.ant-table-row').first()).toContainText('12');
  await accessible(page);
  expect(await overhang(page), 'no sideways scroll').toBe(0);
});

test('an agent may not import: no way there, and a kind no', async ({ page, demo }) => {
  await signIn(page, demo, 'agent');
  await page.goto(`${demo.url}/members`);
  await expect(page.locator('tbody tr.ant-table-row').first()).toBeVisible();
  await expect(page.getByRole('button', { name: /^(导入|Import)$/ })).toHaveCount(0);
  await page.goto(`${demo.url}/imports`);
  await expect(page.getByText(/有这个权限的角色|These roles have it/)).toBeVisible();
  await accessible(page);
});
