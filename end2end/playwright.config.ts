import { defineConfig } from '@playwright/test';
import { chromium } from './harness/chromium';

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  globalSetup: './harness/films_first',
  // Real video is encoded and decoded in every test: two at once would measure each other.
  workers: 1,
  fullyParallel: false,
  // A test that passes only when tried again is a bug of the product or of the test.
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ? [['list'], ['json']] : [['list']],
  use: {
    headless: true,
    launchOptions: chromium(),
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    // Pages are opened by the tests' own contexts; a trace would hold video frames by the hundred.
    trace: 'off',
    screenshot: 'off',
  },
});
