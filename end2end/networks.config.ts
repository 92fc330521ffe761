import { defineConfig } from '@playwright/test';
import { chromium } from './harness/chromium';
import tests from './playwright.config';

/** The table of networks: `script/test networks`. Everyone with everyone, and the table at the end. */
export default defineConfig({
  ...tests,
  testDir: 'networks',
  // For tests that hang. What a pair may take it measures itself.
  timeout: 300_000,
  expect: { timeout: 20_000 },
  globalTimeout: 25 * 60_000,
  globalTeardown: './harness/no_network_left',
  reporter: [['list'], ['./harness/network_table.ts'], ...(process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ? [['json'] as ['json']] : [])],
  use: { ...tests.use, actionTimeout: 20_000, navigationTimeout: 30_000, launchOptions: chromium({ certificates: 'any' }) },
});
