import { defineConfig } from '@playwright/test';
import { browser } from './playwright.config.ts';

// `npm run pictures` draws what the documents show, from demo data, into docs/pictures.
export default defineConfig({
  testDir: '.',
  testMatch: 'pictures.ts',
  outputDir: 'results',
  workers: 1,
  reporter: [['list']],
  use: { ...browser },
});
