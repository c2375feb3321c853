import type { Page } from '@playwright/test';
import { expect, findings, signIn, test } from './patron.ts';

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

// Every page of the menu, opened afresh: nothing jumps, everybody can read it, and no request
// goes out in dozens. The time of the slowest request is noted, not judged: machines that run
// tests are busy.
test('every page of the menu stands still and can be read', async ({ page, demo }, info) => {
  test.setTimeout(240_000);
  await page.emulateMedia({ colorScheme: dark.includes(info.project.name) ? 'dark' : 'light', reducedMotion: 'reduce' });
  await watchShifts(page);
  await signIn(page, demo, 'owner');
  const menu = await page.evaluate(async () => {
    const { items } = (await (await fetch('/v1/members?limit=1')).json()) as { items: { id: string }[] };
    const links = [...document.querySelectorAll<HTMLAnchorElement>('nav a[href]')].map((a) => a.getAttribute('href')!);
    return [...new Set([...links, `/members/${items[0]!.id}`])];
  });
  if (menu.length < 3) { // on a phone the menu is drawn when it is opened
    await page.getByRole('button', { name: /^(菜单|Menu)$/ }).click();
    await expect(page.locator('nav a[href]').first()).toBeVisible();
    menu.unshift(...(await page.locator('nav a[href]').evaluateAll((all) => all.map((a) => a.getAttribute('href')!))));
  }
  const pages = [...new Set(menu)];
  expect(pages.length).toBeGreaterThan(8);
  for (const path of pages) {
    await page.goto(`${demo.url}${path}`);
    await page.waitForLoadState('load');
    await expect(page.locator('main h1').first()).toBeVisible();
    await expect(page.locator('.ant-skeleton, .ant-spin-spinning')).toHaveCount(0);
    const moved = await shifts(page);
    expect.soft(moved.sum, `${path} moves while it loads: ${moved.what.join(' | ')}`).toBeLessThan(still);
    const worst = await slowest(page);
    expect.soft(worst.requests, `requests of ${path}`).toBeLessThan(20);
    info.annotations.push({ type: 'slowest', description: `${path} ${worst.ms} ms ${worst.path} (${worst.requests} requests)` });
    expect.soft(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${path} is wider than the screen`).toBeLessThanOrEqual(0);
    expect.soft(await findings(page), path).toEqual([]);
  }
});
