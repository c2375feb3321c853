import type { Page } from '@playwright/test';
import { accessible, enter, expect, freshPhone, type Server, signIn, test } from './patron.ts';

interface Standing { items: { main: boolean; tier?: { code: string; name_en: string; name_zh: string }; lock?: object }[] }
const tierOf = async (server: Server, member: string) => (await server.api<Standing>(`/v1/members/${member}/tier`)).items.find((s) => s.main);

/** Takes one of the options of the list that is open. */
const pick = (page: Page, n: number) => page.locator('.ant-select-dropdown:visible .ant-select-item-option').nth(n).dispatchEvent('click');
const button = (page: Page, name: RegExp) => page.getByRole('button', { name });

// A ladder is changed, tried, published; a sale lifts a member; the portal and the colleagues see it.
test('a manager moves a threshold, and a sale lifts a member over it', async ({ page, demo }) => {
  await signIn(page, demo, 'manager');
  await page.goto(`${demo.url}/tiers`);
  await expect(page.locator('ol li').first()).toBeVisible();
  await accessible(page);

  const { items } = await demo.api<{ items: { code: string }[] }>('/v1/tier-schemes');
  await page.goto(`${demo.url}/tiers/${items[0]!.code}`);
  const rung = page.locator('[aria-controls=rung-1]');
  await expect(rung).toBeVisible();
  if ((await rung.getAttribute('aria-expanded')) === 'false') await rung.click();
  const fields = page.locator('#rung-1');
  const asked = 1000 + (Date.now() % 500); // each language and device asks for another sum
  const said = asked.toLocaleString('en');
  await fields.getByRole('combobox', { name: /^(满足几项|How many of them)$/ }).first().click();
  await pick(page, 0);
  await fields.getByRole('spinbutton', { name: /^(消费金额|Amount spent)$/ }).first().fill(String(asked));
  await expect(rung).toContainText(said);
  await expect(page.locator('figure')).toBeVisible(); // how the members lie, with the thresholds in it

  await button(page, /^(看看会影响谁|See who would move)$/).click();
  await expect(page.getByRole('region', { name: /从哪级到哪级|From which tier/ })).toBeVisible();
  await accessible(page);

  await button(page, /^(发布|Publish)$/).click(); // keeps the draft, then asks
  const dialog = page.getByRole('dialog');
  await expect(dialog.locator('ins').first()).toContainText(said);
  await accessible(page);
  await dialog.getByRole('button', { name: /^(发布|Publish)$/ }).click();
  await expect(dialog).toBeHidden();
  await expect(button(page, /^(发布|Publish)$/)).toBeDisabled();

  const phone = freshPhone();
  const member = await demo.api<{ id: string; number: string }>('/v1/members', { phone, name: '林静怡' });
  const desk = (page.viewportSize()?.width ?? 0) > 900;
  if (desk) {
    await page.goto(`${demo.url}/till`);
    await page.getByRole('button', { name: 'T1', exact: true }).first().click();
    await page.locator('#till-find').fill(member.number);
    await page.keyboard.press('Enter');
    await expect(page.locator('#till-amount')).toBeFocused();
    await expect(page.getByRole('progressbar').first()).toBeVisible(); // how far the next tier is
    await page.keyboard.type('1600');
    await expect(page.getByText(/这一单会得|This sale earns|Earns/).first()).toBeVisible(); // before it is paid
    await accessible(page);
    await page.keyboard.press('Enter');
    await expect(button(page, /^(确认，收|Take ¥)/)).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByText(/^(升到.+了|Now (?!has ).+)$/)).toBeVisible();
    await accessible(page);
  } else {
    const at = new Date().toISOString();
    await demo.api('/v1/sales', { source: 'tiers', document: `d-${Date.now()}`, at, currency: 'CNY', total: 160000, member: member.id, lines: [{ line: 1, sku: 'sum', quantity: 1, amount: 160000 }] });
  }
  const tier = (await tierOf(demo, member.id))?.tier;
  expect(tier).toBeDefined();
  expect(tier!.code).not.toBe('leaf');

  const other = await page.context().browser()!.newContext({ viewport: { width: 390, height: 844 }, locale: 'zh-CN', reducedMotion: 'reduce' });
  const own = await other.newPage();
  await enter(own, demo, { phone });
  await own.goto(`${demo.url}/portal/`);
  await expect(own.locator('.card')).toContainText(tier!.name_zh);
  await accessible(own);
  for (const path of ['/tier', '/offers', '/plan']) {
    await own.goto(`${demo.url}/portal${path}`);
    await expect(own.locator('.page h1')).toBeVisible();
    await expect(own.locator('.skeleton')).toHaveCount(0);
    await accessible(own);
  }
  await other.close();
});

// By hand: a tier with a reason and a lock, and the lock off again; each stands in the history.
test('a manager gives a tier by hand, locks it and lets the rules decide again', async ({ page, demo }) => {
  const member = await demo.api<{ id: string }>('/v1/members', { phone: freshPhone(), name: '周慕' });
  await signIn(page, demo, 'manager');
  await page.goto(`${demo.url}/members/${member.id}/standing`);
  await button(page, /^(改等级|Change tier)$/).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: /^(等级|Tier)$/ }).click();
  await pick(page, 2);
  await dialog.getByRole('checkbox').check();
  await dialog.locator('#reason').fill('周年活动');
  await accessible(page);
  await dialog.getByRole('button', { name: /^(改成|Set to)/ }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText(/^(已锁定|锁定到|Locked)/).first()).toBeVisible();
  await expect(page.locator('table')).toContainText('周年活动');
  await accessible(page);
  expect((await tierOf(demo, member.id))?.lock).toBeDefined();

  await button(page, /^(解除锁定|Unlock)$/).click();
  await page.getByRole('dialog').locator('#reason').fill('活动结束');
  await page.getByRole('dialog').getByRole('button', { name: /^(解除锁定|Unlock)$/ }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  expect((await tierOf(demo, member.id))?.lock).toBeUndefined();

  await page.goto(`${demo.url}/members`);
  await expect(page.locator('tbody tr[data-row-key]').first()).toBeVisible();
  await page.getByRole('combobox', { name: /^(等级|Tier)$/ }).click();
  await pick(page, 0);
  await expect(page).toHaveURL(/tier=/);
  await expect(page.locator('tbody tr[data-row-key]').first()).toBeVisible();
});
