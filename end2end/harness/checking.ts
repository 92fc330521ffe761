import { expect, type Locator, type Page } from '@playwright/test';
import type { Person } from './people';

// "Check my connection", as people find their way on it.

export const start = (page: Page): Locator => page.getByRole('button', { name: 'Start the check' });
export const again = (page: Page): Locator => page.getByRole('button', { name: 'Check again' });
export const outcome = (page: Page): Locator => page.locator('.check-outcome');

/** What came of everybody who was asked. */
const answers = (page: Page) => page.getByRole('list').filter({ has: page.getByRole('heading', { level: 3 }) });

/** What came of the one whose line says so. */
export const answer = (page: Page, who: string | RegExp): Locator => answers(page).getByRole('listitem').filter({ hasText: who });

/** Begins a check and waits for its end: the sentence. */
export async function checks({ page }: Person): Promise<string> {
  await page.goto('/check');
  await start(page).click();
  await expect(again(page)).toBeVisible({ timeout: 45_000 });
  return outcome(page).innerText();
}
