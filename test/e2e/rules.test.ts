import { accessible, expect, signIn, test } from './patron.ts';
import type { Page } from '@playwright/test';

// Somebody shapes what earns: a rule from a template, tried before it counts, then live; the sale says why.

const firstRule = (page: Page) => page.locator('tr[data-row-key]').first();

test('a rule from a template is tried, published, earns, and is paused', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/rules`);
  await expect(firstRule(page)).toBeVisible();
  await accessible(page);
  await page.getByRole('button', { name: /(新建规则|New rule)$/ }).click();
  await page.getByRole('link', { name: /消费一元得一分|A point per yuan/ }).click();
  await expect(page.locator('#rule-name-zh')).not.toHaveValue(''); // the blank rule that stood here says the same

  // In words, and tried: 100 of the settings' own rule and 100 of this one, for ¥100.
  const aside = page.locator('main aside');
  await expect(aside).toContainText(/每满 .*1 得 1 |1 Points for every/);
  await aside.getByLabel(/只看这一条|This rule alone/).check(); // others go by the day and the hour
  await expect(aside).toContainText(/\+200/);
  await accessible(page);
  await page.getByLabel(/^(分数|Points)$/).fill('2');
  await expect(aside).toContainText(/\+300/);

  await page.getByRole('button', { name: /^(发布|Publish)$/ }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await accessible(page);
  await dialog.getByRole('button', { name: /^(发布|Publish|发 布)$/ }).click();
  await expect(page).toHaveURL(/\/rules\/rul_/);
  await expect(page.getByText(/^(生效中|Live)$/).first()).toBeVisible();
  await expect(page.getByRole('heading', { name: /^(版本|Versions)$/ })).toBeVisible();

  const { items: members } = await demo.api<{ items: { id: string }[] }>('/v1/members?limit=1');
  const sale = await demo.api<{ id: string; points: { rule: string; amount: number }[] }>('/v1/sales', {
    source: 'rules', document: `r-${Date.now()}`, at: new Date().toISOString(), member: members[0]!.id, currency: 'CNY', total: 5000, store: 'sh-jingan',
    lines: [{ line: 1, sku: 'x', name: '凤凰单丛', quantity: 1, amount: 5000 }],
  });
  expect(sale.points.map((p) => `${p.rule} ${p.amount}`)).toEqual(expect.arrayContaining(['base 50', 'per-yuan@1 100']));
  await page.goto(`${demo.url}/sales/${sale.id}`);
  await expect(page.getByRole('link', { name: /消费一元得一分|A point per yuan/ })).toBeVisible();
  await page.getByRole('button', { name: /看一步步怎么算的|Show how they came about/ }).click();
  await expect(page.getByText(/每 .*1 得 2|× 2 for every/)).toBeVisible();
  await accessible(page);

  await page.goto(`${demo.url}/rules?q=per-yuan`);
  await expect(firstRule(page)).toContainText(/100\s*(分|pts)/);
  await accessible(page);
  await firstRule(page).getByRole('button', { name: /^(暂停|Pause)$/ }).click();
  await dialog.getByRole('button', { name: /^(暂 ?停|Pause)$/ }).click();
  await expect(firstRule(page)).toContainText(/已暂停|Paused/);
  expect((await demo.api<{ items: { state: string }[] }>('/v1/rules?q=per-yuan')).items.map((r) => r.state)).toEqual(['paused']);
});

test('a condition is built, written as text, refused with its place, and built again', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/rules/new`);
  await page.getByLabel(/^(英文名称|Name in English)$/).fill('Regulars');
  await expect(page.getByLabel(/^(编码|Code)/)).toHaveValue('regulars');
  await page.getByRole('button', { name: /^(加一个条件|Add a condition)$/ }).click();
  const group = page.getByRole('group', { name: /^(条件|Conditions)$/ });
  await expect(group.getByRole('combobox')).toHaveCount(2);
  await expect(page.locator('main aside')).toContainText(/≥ 1/);
  await accessible(page);

  await page.getByRole('button', { name: /用文本写|Write it as text/ }).click();
  const text = page.getByLabel(/条件文本|Condition as text/);
  await expect(text).toHaveValue('member.tier.rank >= 1');
  await text.fill('member.tire.rank >= 2');
  const fault = page.getByRole('alert').filter({ hasText: /第 1 行第 8 列|line 1, column 8/i });
  await expect(fault).toBeVisible();
  await expect(page.getByRole('button', { name: /^(发布|Publish)$/ })).toBeDisabled();
  await fault.getByRole('button').click();
  expect(await text.evaluate((box: HTMLTextAreaElement) => box.value.slice(box.selectionStart, box.selectionEnd))).toContain('tire');
  await accessible(page);
  await text.fill('member.spend(90) >= money("300") && (now.weekday in [2] || "vip" in member.tags)');
  await expect(fault).toBeHidden();
  await page.getByRole('button', { name: /回到图形编辑|Back to the builder/ }).click();
  await expect(page.getByRole('group', { name: /^(一组条件|Group of conditions)$/ })).toBeVisible();
  await expect(page.getByRole('button', { name: /去掉这个条件|Remove the condition/ })).toHaveCount(3);
  await page.getByRole('button', { name: /去掉这一组|Remove the group/ }).click();
  await page.getByRole('button', { name: /用文本写|Write it as text/ }).click();
  await expect(text).toHaveValue('member.spend(90) >= money("300")');

  await page.getByRole('button', { name: /^(存草稿|Save the draft)$/ }).click();
  await expect(page).toHaveURL(/\/rules\/rul_/);
  const kept = await demo.api<{ rule: { condition: string } }>('/v1/rules/regulars');
  expect(kept.rule.condition).toBe('member.spend(90) >= money("300")');
});

test('a condition that is written at once stays', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  await page.goto(`${demo.url}/rules/new`);
  await page.route('**/v1/rules/tree', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 600)); // what the builder says comes late
    await route.continue();
  });
  await page.getByRole('button', { name: /用文本写|Write it as text/ }).click();
  const text = page.getByLabel(/条件文本|Condition as text/);
  await text.fill('member.tier.rank >= 2');
  await page.waitForTimeout(1500);
  await expect(text).toHaveValue('member.tier.rank >= 2');
});

test('calendar, groups, back-tests and failures show; groups move by keyboard', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  for (const path of ['calendar', 'groups', 'tests', 'failures']) {
    await page.goto(`${demo.url}/rules/${path}`);
    await expect(page.getByRole('navigation', { name: /^(规则|Rules)$/ })).toBeVisible();
    await expect(page.locator('.ant-skeleton')).toHaveCount(0);
    await accessible(page);
  }
  await page.goto(`${demo.url}/rules/groups`);
  await page.getByRole('button', { name: /(新建分组|New group)$/ }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel(/^(英文名称|Name in English)$/).fill('Best of them');
  await drawer.getByLabel(/^(编码|Code)$/).fill('best-of');
  await drawer.getByRole('button', { name: /(新建分组|New group)$/ }).click();
  await expect(drawer).toBeHidden();
  const group = page.getByRole('region', { name: 'Best of them' });
  await expect(group).toBeVisible();
  await group.getByRole('button', { name: /往后排|down/ }).focus();
  await page.keyboard.press('Enter'); // by keyboard
  await expect(page.locator('li').filter({ has: group }).getByRole('heading', { name: /^(次序|Stage) [1-9]/ })).toBeVisible();
  await accessible(page);
});

test('a cashier reads rules and changes none', async ({ page, demo }) => {
  await signIn(page, demo, 'cashier');
  await demo.api('/v1/rules', { code: 'read-only', name_en: 'Read only', trigger: { on: 'sale' }, effect: { kind: 'fixed', currency: 'points', points: 5 } });
  await page.goto(`${demo.url}/rules?q=read-only`);
  await expect(firstRule(page)).toBeVisible();
  await expect(page.getByRole('button', { name: /新建规则|New rule|暂停|Pause|恢复|Resume/ })).toHaveCount(0);
  await firstRule(page).getByRole('link').click();
  await expect(page.getByLabel(/^(中文名称|Name in Chinese)$/)).toBeDisabled();
  await expect(page.getByRole('button', { name: /^(发布|Publish|存草稿|Save the draft)$/ })).toHaveCount(0);
  await accessible(page);
  await page.goto(`${demo.url}/rules/new`);
  await expect(page.getByRole('heading', { name: /权限|permission/ }).first()).toBeVisible();
  await accessible(page);
});
