import { defineConfig } from '@playwright/test';
import { browser } from './playwright.config.ts';

// npm run pictures: the pictures of the READMEs, from demo data, in both languages.
const size = { width: 1440, height: 960 };

export default defineConfig({
  testDir: '.',
  testMatch: 'pictures.ts',
  outputDir: 'results/pictures',
  workers: 1,
  timeout: 120_000,
  reporter: [['list']],
  use: { ...browser, viewport: size },
  projects: [
    { name: 'zh-CN', use: { locale: 'zh-CN' } },
    { name: 'en', use: { locale: 'en-US' } },
  ],
});
