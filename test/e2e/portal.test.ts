import type { Browser, Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { accessible, codeFor, enter, expect, freshPhone, type Server, test } from './patron.ts';

interface Card { id: string; number: string; name?: string; store?: string }
const points = async (server: Server, id: string) => (await server.api<{ currency: string; available: number }[]>(`/v1/members/${id}/wallets`)).find((w) => w.currency === 'points')?.available ?? 0;

/** Somebody with a purchase of 300 yuan, signed in. */
async function somebody(page: Page, server: Server) {
  const phone = freshPhone();
  const member = await server.api<Card>('/v1/members', { phone, email: `${phone}@mail.example`, name: '林静怡', language: 'zh-CN' });
  await server.api('/v1/sales', { source: 'e2e', document: phone, member: member.id, at: new Date().toISOString(), currency: 'CNY', total: 30000, store: 'sh-jingan', lines: [{ line: 1, sku: 'x', name: '凤凰单丛', quantity: 1, amount: 30000 }] });
  await enter(page, server, { phone });
  return { ...member, phone, email: `${phone}@mail.example` };
}

const submit = (page: Page) => page.locator('form button[type=submit]');
const open = (page: Page, server: Server, path = '/') => page.goto(`${server.url}/portal${path}`);

test('a guest joins by the code of a store, in under a minute', async ({ page, demo }) => {
  const { items } = await demo.api<{ items: { id: string; code: string; name_en: string; name_zh: string }[] }>('/v1/stores');
  const store = items.find((s) => s.code === 'hz-xihu')!;
  const link = await demo.api<{ url: string }>(`/v1/stores/${store.id}/join-link`);
  const phone = freshPhone();
  const start = Date.now();
  await page.goto(link.url);
  await expect(page.getByRole('heading', { level: 2 })).toContainText(/加入|Join/);
  await expect(page.locator('.welcome')).toContainText(new RegExp(`${store.name_zh}|${store.name_en}`));
  await accessible(page);
  await page.locator('input[name=phone]').fill('123');
  await submit(page).click();
  await expect(page.locator('.note.bad'), 'the refusal stands beside the field').toBeVisible();
  await page.locator('input[name=phone]').fill(phone);
  await submit(page).click();
  await page.locator('input[name=code]').fill('000000' === (await codeFor(demo, phone)) ? '000001' : '000000');
  await expect(page.locator('.alert.bad, .note.bad')).toBeVisible();
  await accessible(page);
  await page.locator('input[name=code]').fill(await codeFor(demo, phone));
  await page.locator('input[name=name]').fill('周小满');
  await page.locator('.tick input').first().check();
  await accessible(page);
  await submit(page).click();
  await expect(page.locator('.card')).toContainText('小满');
  expect(Date.now() - start).toBeLessThan(60_000);
  await accessible(page);

  const made = await demo.api<Card>(`/v1/members/phone:${phone}`);
  expect(made.store).toBe(store.id);
  await open(page, demo, '/me/consents');
  await expect(page.locator('.switch:checked')).toHaveCount(1);
});

test('a member signs in, shows the code, and reads why', async ({ page, demo }) => {
  const { demo: shown } = (await (await fetch(`${demo.url}/portal/v1/program`)).json()) as { demo: { phone: string } };
  await page.clock.install();
  await open(page, demo, '/points'); // a stranger comes to the door, and afterwards to where they wanted
  await page.locator('input[name=phone]').fill(shown.phone);
  await submit(page).click();
  await page.locator('input[name=code]').fill(await codeFor(demo, shown.phone));
  await expect(page).toHaveURL(/\/portal\/points$/);
  await expect(page.locator('ul.list li').first()).toContainText(/分|pts/);
  await expect(page.locator('ul.list li .wide').first(), 'each movement says why').not.toBeEmpty();
  await accessible(page);
  await page.locator('ul.list a.row').first().click();
  await expect(page.locator('.row.total')).toContainText('¥');
  await accessible(page);

  await page.locator('.tabs a').nth(2).click();
  await expect(page.locator('ul.list li')).not.toHaveCount(0);
  await accessible(page);
  await page.locator('.tabs a').first().click();
  const code = page.locator('.eave img');
  const first = (await code.getAttribute('data-code'))!;
  const found = await demo.api<Card>(`/v1/members/${first}`);
  await expect(page.locator('.card'), 'what the till scans is who stands there').toContainText(found.number);
  await expect(page.locator('.card .balance')).toContainText((await points(demo, found.id)).toLocaleString('en'));
  const [again] = await Promise.all([page.waitForResponse(/\/portal\/v1\/qr$/), page.clock.runFor(40_000)]); // a code is good for 60 s
  expect(again.status(), 'asked for again before it ends').toBe(200);
  await expect(code).toBeVisible();
  await page.locator('.eave').click();
  await expect(page.getByRole('dialog')).toContainText(found.number);
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('a member gives points to a friend', async ({ page, demo }) => {
  const friend = await demo.api<Card>('/v1/members', { phone: freshPhone(), name: '王小林' });
  const me = await somebody(page, demo);
  await open(page, demo, '/points/give');
  await page.locator('.choice label').nth(2).click();
  await page.locator('input[name=to]').fill('9');
  await page.locator('input[name=amount]').fill('50');
  await submit(page).click();
  await expect(page.locator('.alert.bad, .note.bad')).toBeVisible();
  await page.locator('input[name=to]').fill(friend.number);
  await page.locator('input[name=reason]').fill('喝茶去');
  await accessible(page);
  await submit(page).click();
  await expect(page.locator('.terms')).toContainText(/王/); // the rest is masked
  await expect(page.locator('.terms')).toContainText(/300\s(分|pts) → 250\s(分|pts)/);
  expect(await points(demo, friend.id), 'looking gives nothing').toBe(0);
  await accessible(page);
  await page.locator('.btn.filled').click();
  await expect(page.locator('.done')).toContainText(/50\s(分|pts)/);
  expect(await points(demo, me.id)).toBe(250);
  expect(await points(demo, friend.id)).toBe(50);
  await page.locator('.done a').click();
  await expect(page.locator('ul.list li').first()).toContainText(/−50\s(分|pts)/);
});

test('a member looks after profile, consents, devices and data, and signs out', async ({ page, demo }) => {
  const me = await somebody(page, demo);
  await open(page, demo, '/me');
  await accessible(page);
  await page.locator('a[href$="/me/profile"]').click();
  await page.locator('input[name=city]').fill('杭州');
  await submit(page).click();
  await expect(page.locator('.alert.good')).toBeVisible();
  await accessible(page);

  await open(page, demo, '/me/consents');
  const marketing = page.locator('.switch').nth(1);
  await marketing.click();
  await expect(marketing).toBeChecked();
  await page.reload();
  await expect(marketing).toBeChecked();
  await accessible(page);
  await marketing.click();
  await expect(marketing).not.toBeChecked();

  await open(page, demo, '/me/sessions');
  await expect(page.locator('.list .row')).toHaveCount(1);
  await accessible(page);

  await open(page, demo, '/me');
  await page.locator('button.row.link').click();
  await accessible(page);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('dialog').locator('.btn').nth(1).click()]);
  const text = readFileSync(await download.path(), 'utf8');
  expect(JSON.parse(text)).toBeTruthy();
  for (const known of [me.phone, me.email, '杭州']) expect(text).toContain(known);
  await page.keyboard.press('Escape');

  const other = page.locator('fieldset').first().locator('label:not(.on)');
  await other.click();
  await expect(page.locator('html')).not.toHaveAttribute('lang', await page.evaluate(() => (navigator.language.startsWith('zh') ? 'zh-CN' : 'en')));
  await page.locator('.page > .stack .btn').click();
  await expect(page.locator('input[name=phone]')).toBeVisible();
  expect(await page.evaluate(async () => (await caches.keys()).includes('patron-member')), 'nothing of the member stays').toBe(false);
});

test('a member closes the account', async ({ page, demo }) => {
  const me = await somebody(page, demo);
  await open(page, demo, '/me/close');
  await expect(page.locator('.terms')).toContainText(/300\s(分|pts)/);
  await page.locator('.choice label').nth(1).click(); // by e-mail: the phone has just had its code
  await page.locator('.btn.danger').click();
  await page.locator('input[name=code]').fill(await codeFor(demo, me.email));
  await expect(submit(page), 'not without the words').toBeDisabled();
  await page.locator('input[name=sentence]').fill((await page.locator('html').getAttribute('lang')) === 'en' ? 'close my account' : '关闭账户');
  await accessible(page);
  await submit(page).click();
  await expect(page.locator('.alert.good')).toBeVisible();
  await open(page, demo);
  await expect(page.locator('input[name=phone]')).toBeVisible();
  await expect.poll(async () => (await demo.ask(`/v1/members/phone:${me.phone}`)).status).toBe(404);
});

/** A page whose browser may complain that there is no network. */
async function fresh(browser: Browser, options: object = {}) {
  const context = await browser.newContext(options);
  return { context, page: await context.newPage() };
}

test('without a network the last card shows', async ({ browser, demo }, info) => {
  const { context, page } = await fresh(browser, info.project.use);
  const me = await somebody(page, demo);
  await open(page, demo);
  await expect(page.locator('.eave img')).toBeVisible();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload(); // from here on the worker keeps the card
  await expect(page.locator('.eave img')).toBeVisible();
  const kept = await page.evaluate(async () => (await (await caches.open('patron-member')).keys()).map((r) => new URL(r.url).pathname).sort());
  expect(kept.filter((path) => !['/portal/v1/manifest', '/portal/v1/program', '/portal/v1/me'].includes(path)), 'no code, no list').toEqual([]);
  expect(kept).toContain('/portal/v1/me');

  await demo.stop(); // the browser's own switch leaves out what the worker asks for
  await page.reload();
  await expect(page.locator('.kept')).toBeVisible();
  await expect(page.locator('.card')).toContainText(me.number);
  await expect(page.locator('.eave img')).toHaveCount(0);
  await expect(page.locator('.qr')).toContainText(/联网|online|network/);
  await accessible(page);
  await page.locator('.tabs a').nth(2).click();
  await expect(page.getByRole('alert')).toBeVisible({ timeout: 15_000 });
  await context.close();
  await demo.start();
});

test('the first load is light and quick on a slow phone', { tag: '@phone' }, async ({ browser, demo }, info) => {
  for (const signedIn of [false, true]) {
    const { context, page } = await fresh(browser, info.project.use); // nothing is kept yet
    if (signedIn) await somebody(page, demo);
    const client = await context.newCDPSession(page);
    await client.send('Network.enable');
    await client.send('Network.setCacheDisabled', { cacheDisabled: true });
    // Lighthouse's mobile profile.
    await client.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: (1.6 * 1024 * 1024) / 8, uploadThroughput: (750 * 1024) / 8 });
    await client.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    let bytes = 0;
    client.on('Network.loadingFinished', (e) => (bytes += e.encodedDataLength));
    await page.addInitScript(() => {
      const seen = { paint: 0, shift: 0 };
      Object.assign(window, { seen });
      new PerformanceObserver((list) => list.getEntries().forEach((e) => (seen.paint = e.startTime))).observe({ type: 'largest-contentful-paint', buffered: true });
      new PerformanceObserver((list) => list.getEntries().forEach((e) => (seen.shift += (e as unknown as { hadRecentInput: boolean; value: number }).hadRecentInput ? 0 : (e as unknown as { value: number }).value))).observe({ type: 'layout-shift', buffered: true });
    });
    await open(page, demo);
    await expect(page.locator(signedIn ? '.eave img' : 'input[name=phone]')).toBeVisible();
    await page.waitForLoadState('networkidle');
    const seen = await page.evaluate(() => (window as unknown as { seen: { paint: number; shift: number } }).seen);
    console.log(`${info.project.name}, ${signedIn ? 'home' : 'door'}: ${(bytes / 1000).toFixed(1)} kB, largest paint ${Math.round(seen.paint)} ms (aim 2000), shift ${seen.shift.toFixed(3)}`);
    expect(bytes, 'compressed bytes').toBeLessThan(200_000);
    expect(seen.paint).toBeGreaterThan(0);
    // Printed beside the aim of 2 s, which a machine that runs other tests too misses by its processor; this bound finds what is broken.
    expect(seen.paint, 'largest paint').toBeLessThan(6000);
    expect(seen.shift, 'layout shift').toBeLessThan(0.05);
    await context.close();
  }
});
