import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { password, startServer, type Server } from './server.ts';

interface Fixtures {
  /** Picks the text of the language that the test runs in: say('会员', 'Members'). */
  say: (zh: string, en: string) => string;
  /** Adds an account of the role and signs it in. */
  signIn: (server: Server, role: string) => Promise<void>;
  /** No serious or critical finding of axe on the page as it is. */
  accessible: () => Promise<void>;
}

/**
 * The test of our journeys. Whatever the page writes to the console as an error, and every exception that
 * nobody caught, fails it; refusals are answers (the browser notes their status by itself) and do not.
 */
export const test = base.extend<Fixtures & { complaints: undefined }, { demo: Server }>({
  demo: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of fixtures from here
    async ({}, use) => {
      const server = await startServer({ members: 60 });
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  complaints: [
    async ({ page }, use) => {
      const heard: string[] = [];
      page.on('pageerror', (error) => heard.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' && !/Failed to load resource: .* (401|403|404|409|422)/.test(message.text())) heard.push(message.text());
      });
      await use(undefined);
      expect(heard, 'errors in the console').toEqual([]);
    },
    { auto: true },
  ],
  say: async ({ locale }, use) => use((zh, en) => (locale === 'en' ? en : zh)),
  signIn: async ({ page, say }, use) => {
    await use(async (server, role) => {
      const email = server.addStaff(role);
      await page.goto(server.url);
      await page.getByLabel(say('邮箱', 'E-mail')).fill(email);
      await page.getByLabel(say('密码', 'Password'), { exact: true }).fill(password);
      await page.getByRole('button', { name: say('登录', 'Sign in') }).click();
      await expect(page.getByRole('main')).toBeVisible();
    });
  },
  accessible: async ({ page }, use) => {
    await use(() => checkAxe(page));
  },
});

async function checkAxe(page: Page) {
  await page.waitForTimeout(250); // a panel that is half open has half its contrast
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
  expect(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), 'axe').toEqual([]);
}

export { expect };
