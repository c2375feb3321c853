import { defineConfig } from '@playwright/test';

export const browser = {
  browserName: 'chromium' as const,
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  },
};

// Every journey runs as in a shop: both languages, a desk and a phone. A test that is about
// one of them says so by its tag.
// What fades has no colour of its own to be measured: everything stands still.
const desk = { width: 1440, height: 900 };
const phone = { width: 390, height: 844 };

export default defineConfig({
  testDir: '.',
  outputDir: 'results',
  fullyParallel: false, // tests of a file share a server and follow each other
  workers: 2,
  timeout: 180_000, // of a busy machine; a quiet one takes a tenth
  retries: process.env.CI ? 1 : 0, // a journey that needed it is reported as flaky
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: { ...browser, contextOptions: { reducedMotion: 'reduce' }, trace: 'retain-on-failure', screenshot: 'only-on-failure' },
  projects: [
    { name: 'desk-zh', grepInvert: /@phone/, use: { viewport: desk, locale: 'zh-CN' } },
    { name: 'desk-en', grepInvert: /@phone/, use: { viewport: desk, locale: 'en-US' } },
    { name: 'phone-zh', use: { viewport: phone, locale: 'zh-CN', hasTouch: true, isMobile: true } },
    { name: 'phone-en', use: { viewport: phone, locale: 'en-US', hasTouch: true, isMobile: true } },
  ],
});
