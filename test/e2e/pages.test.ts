import type { Page } from '@playwright/test';
import { expect, findings, overhang, signIn, test } from './patron.ts';

// How far things may move while a page loads, by the sum of the browser's own measure
// (https://web.dev/articles/cls), of which up to 0.1 is called good.
const still = 0.1;

/** Adds up what moves on the page, from its first moment on. */
async function watchShifts(page: Page) {
  await page.addInitScript(() => {
    const seen = { sum: 0, what: [] as string[] };
    Object.assign(window, { shifts: seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node }[] })[]) {
        if (entry.hadRecentInput) continue;
        seen.sum += entry.value;
        seen.what.push(`${entry.value.toFixed(3)} ${entry.sources.map((s) => (s.node instanceof Element ? `${s.node.tagName}.${s.node.className}` : s.node?.nodeName)).join(', ')}`);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

const shifts = (page: Page) => page.evaluate(() => (window as unknown as { shifts: { sum: number; what: string[] } }).shifts);

/** The request to the API that took longest, as the browser saw it. */
const slowest = (page: Page) => page.evaluate(() => {
  const asked = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).filter((e) => e.name.includes('/v1/') && !e.name.endsWith('/v1/live'));
  const worst = asked.sort((a, b) => b.duration - a.duration)[0];
  return { requests: asked.length, ms: Math.round(worst?.duration ?? 0), path: worst ? new URL(worst.name).pathname : '' };
});

// Each theme on a desk and on a phone, each once in either language.
const dark = ['desk-en', 'phone-zh'];

// A link that the keyboard stands on shows it. Ant Design takes the ring off all of them.
test('the keyboard sees where it is', async ({ page, demo }) => {
  await signIn(page, demo, 'owner');
  const main = page.locator('main a[href]').first();
  await expect(main).toBeVisible();
  await page.locator('body').press('Tab'); // from here on the browser shows the focus
  for (const link of [main, page.locator('nav a[href]').first()]) {
    if (!(await link.isVisible())) continue; // the menu of a phone is closed
    await link.focus();
    expect(await link.evaluate((e) => getComputedStyle(e).outlineStyle)).toBe('solid');
  }
});

// Every page of the menu, opened afresh: nothing jumps, everybody can read it, and no request
// goes out in dozens. The time of the slowest request is noted, not judged: machines that run
// tests are busy.
test('every page of the menu stands still and can be read', async ({ page, demo }, info) => {
  test.setTimeout(60_000);
  await page.emulateMedia({ colorScheme: dark.includes(info.project.name) ? 'dark' : 'light', reducedMotion: 'reduce' });
  await watchShifts(page);
  await signIn(page, demo, 'owner');
  const menu = await page.evaluate(async () => {
    const { items } = (await (await fetch('/v1/approvals?state=waiting')).json()) as { items: { member_id: string }[] }; // somebody to whom more happened than sales
    const links = [...document.querySelectorAll<HTMLAnchorElement>('nav a[href]')].map((a) => a.getAttribute('href')!);
    return [...new Set([...links, `/members/${items[0]!.member_id}/timeline`])];
  });
  if (menu.length < 3) { // on a phone the menu is drawn when it is opened
    await page.getByRole('button', { name: /^(菜单|Menu)$/ }).click();
    await expect(page.locator('nav a[href]').first()).toBeVisible();
    menu.unshift(...(await page.locator('nav a[href]').evaluateAll((all) => all.map((a) => a.getAttribute('href')!))));
  }
  const pages = [...new Set(menu)];
  expect(pages.length).toBeGreaterThan(8);
  test.setTimeout(60_000 + pages.length * 40_000);
  for (const path of pages) {
    await page.goto(`${demo.url}${path}`);
    await page.waitForLoadState('load');
    await expect(page.locator('main h1').first()).toBeVisible();
    await expect(page.locator('.ant-skeleton, .ant-spin-spinning')).toHaveCount(0);
    const moved = await shifts(page);
    expect.soft(moved.sum, `${path} moves while it loads: ${moved.what.join(' | ')}`).toBeLessThan(still);
    if (path === '/points') expect.soft(await page.locator('main').innerText(), 'what gave points is said in words').not.toMatch(/(rule|规则)\s*(check-in|grant|leaderboard|tier|offer|plan)\b/);
    if (path.startsWith('/members/')) expect.soft(await page.locator('main').innerText(), `${path} says events in words`).not.toMatch(/\b[a-z]+\.[a-z_]+ed\b/);
    const worst = await slowest(page);
    expect.soft(worst.requests, `requests of ${path}`).toBeLessThan(20);
    info.annotations.push({ type: 'slowest', description: `${path} ${worst.ms} ms ${worst.path} (${worst.requests} requests)` });
    expect.soft(await overhang(page), `${path} is wider than the screen`).toBe(0);
    expect.soft(await findings(page), path).toEqual([]);
  }
});
