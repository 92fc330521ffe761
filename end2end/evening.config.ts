import { defineConfig } from '@playwright/test';
import { chromium } from './harness/chromium';
import tests from './playwright.config';

/** The second hour: `script/test evening`. One after the other, faults injected for real, and a table of figures at the end. */
export default defineConfig({
  ...tests,
  testDir: 'evening',
  // For tests that hang. What a test promises it measures itself.
  timeout: 600_000,
  expect: { timeout: 30_000 },
  globalTimeout: 90 * 60_000,
  globalTeardown: './harness/nothing_left',
  reporter: [['list'], ['./harness/figures.ts'], ...(process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ? [['json'] as ['json']] : [])],
  // Sound needs a press first, as it does at home.
  use: { ...tests.use, actionTimeout: 30_000, navigationTimeout: 30_000, launchOptions: chromium({ autoplay: 'as people have it' }) },
});
