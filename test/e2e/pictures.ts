// The pictures of the main pages, for the READMEs and docs. English ones have no language in their name.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, signIn, test } from './patron.ts';

const most = 250_000; // bytes: a README is read on phones too

/** What is shown, as which role, and what has to be there before it is taken. */
const pictures = [
  { name: 'overview', path: '/', ready: '[role=img][aria-label] svg' },
  { name: 'member', path: '/members/{member}', ready: 'tr[data-row-key]' },
  { name: 'points', path: '/points', ready: 'tr[data-row-key]' },
  { name: 'join-code', path: '/join-code', ready: 'article img' },
  { name: 'settings', path: '/settings', ready: 'form input' },
] as const;

test('the pages of the console', async ({ page, demo }, { project }) => {
  await signIn(page, demo, 'owner');
  // Somebody to whom something happened just now.
  const member = await page.evaluate(async () => ((await (await fetch('/v1/entries?limit=1')).json()) as { items: { member_id: string }[] }).items[0]!.member_id);
  for (const { name, path, ready } of pictures) {
    await page.goto(demo.url + path.replace('{member}', member));
    await page.locator(`main ${ready}`).first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(1500); // charts draw themselves
    const file = join(import.meta.dirname, '../../docs/pictures', `${name}${project.name === 'en' ? '' : `.${project.name}`}.png`);
    await page.screenshot({ path: file, animations: 'disabled' });
    expect(statSync(file).size, file).toBeLessThan(most);
  }
});
