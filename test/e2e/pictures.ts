// The pictures of the main pages, in both languages, as the documents show them.
import { expect, signIn, test } from './patron.ts';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../docs/pictures');
const desk = { width: 1440, height: 900 };

const languages = [
  { locale: 'zh-CN', ending: '.zh-CN' },
  { locale: 'en-US', ending: '' },
];

for (const { locale, ending } of languages) {
  test.describe(locale, () => {
    test.use({ locale, viewport: desk });

    test('the console', async ({ page, demo }) => {
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await signIn(page, demo, 'owner');
      const draw = async (name: string, path: string) => {
        await page.goto(`${demo.url}${path}`);
        await expect(page.locator('main h1').first()).toBeVisible();
        await page.waitForLoadState('networkidle').catch(() => undefined); // a page with a stream never rests
        await expect(page.locator('.ant-skeleton')).toHaveCount(0);
        await page.screenshot({ path: join(folder, `${name}${ending}.png`) });
      };
      await draw('overview', '/');
      await draw('members', '/members');
      const member = await page.evaluate(async () => {
        const { items } = (await (await fetch('/v1/members?limit=20')).json()) as { items: { id: string }[] };
        return items[0]!.id;
      });
      await draw('member', `/members/${member}`);
      await draw('liability', '/liability');
    });
  });
}
