import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

/** A session at length: `script/test session`. As the tests that guard every commit, and too many to run with each. */
export default defineConfig({
  ...tests,
  testDir: 'session',
  reporter: [['list'], ['./harness/figures.ts'], ...(process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ? [['json'] as ['json']] : [])],
});
