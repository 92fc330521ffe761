import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

/** Figures are measured by name, `script/bench figures`, and guard no commit: a busy machine would fail them. */
export default defineConfig({ ...tests, testDir: 'figures', timeout: 300_000 });
