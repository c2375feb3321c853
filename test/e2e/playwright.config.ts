import { defineConfig } from '@playwright/test';

const chromium = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
};

const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const languages = ['zh-CN', 'en'];

/** Each journey runs in both languages on a desk and on a phone. */
export default defineConfig({
  testDir: '.',
  outputDir: '../../web/test-results',
  timeout: 120_000, // a busy machine is slow, and nothing here measures speed
  expect: { timeout: 15_000 },
  fullyParallel: false,
  workers: 1, // each test has a server of its own, and CI has two cores
  forbidOnly: true,
  reporter: 'list',
  use: { launchOptions: chromium, trace: 'retain-on-failure' },
  projects: Object.entries(sizes).flatMap(([size, viewport]) => languages.map((locale) => ({ name: `${size}-${locale}`, use: { viewport, locale } }))),
});
