import { accessible, enter, expect, freshPhone, signIn, test } from './patron.ts';

// A member plays for a cup that is sure to be won, checks the play when the draw has ended, and gets the cup at the counter.
test('a member wins, checks that it was fair, and picks the prize up', async ({ page, browser, demo }) => {
  const code = `box-${Date.now()}`;
  const phone = freshPhone();
  await demo.api('/v1/draws', { code, name_en: 'Box of cups', name_zh: '茶杯盲盒', look: 'box', free_per_day: 1, prizes: [{ code: 'cup', name_en: 'A cup', name_zh: '一只茶杯', kind: 'thing', odds: 1_000_000, stock: 5 }] });
  await demo.api(`/v1/draws/${code}/publish`, {});
  await demo.api('/v1/members', { phone, name: '周可', language: 'zh-CN' });
  await enter(page, demo, { phone });

  await page.goto(`${demo.url}/portal/draws`);
  await page.locator(`a[href$="/draws/${code}"]`).click();
  await expect(page.locator('table.odds')).toContainText(/100%/);
  await accessible(page);
  await page.locator('.btn.filled').click();
  await expect(page.getByRole('status').filter({ hasText: /茶杯|A cup/ })).toBeVisible();
  const pickUp = (await page.locator('.pickup').first().innerText()).trim();
  expect(pickUp).toMatch(/^[2-9A-Z]{5}-[2-9A-Z]{4}-[2-9A-Z]{4}$/);
  await expect(page.locator('.btn.filled')).toBeDisabled(); // the free play of today is used up

  await demo.api(`/v1/draws/${code}/end`, {});
  const stranger = await (await browser.newContext()).newPage(); // nobody need be signed in
  await stranger.goto(`${demo.url}/portal/draws/${code}/check/1`);
  await stranger.locator('.btn.filled').click();
  await expect(stranger.locator('.alert.good')).toBeVisible();
  await accessible(stranger);
  await stranger.context().close();
  expect(demo.command('draw', 'verify', '--draw', code, '--url', demo.url)).toContain('1 plays');

  await signIn(page, demo, 'manager');
  await page.goto(`${demo.url}/draws/prizes`);
  await page.getByRole('textbox', { name: /领奖码|Pick-up code/ }).fill(pickUp.toLowerCase().replaceAll('-', ' '));
  await page.getByRole('button', { name: /^(查\s?询|Look up)$/ }).click();
  await page.getByRole('button', { name: /^(确认发放|Hand out)$/ }).click();
  await expect(page.getByRole('alert').filter({ hasText: /发放|Handed out/ })).toBeVisible();
  await accessible(page);
  await page.goto(`${demo.url}/draws`);
  await page.getByRole('link', { name: /茶杯盲盒|Box of cups/ }).click();
  await expect(page.getByRole('cell', { name: /一只茶杯|A cup/ }).first()).toBeVisible();
  await accessible(page);
});
