import { expect, type Locator, type Page } from '@playwright/test';

/** `ADMIN_TOKEN` in tests. */
export const TOKEN = 'south-by-southwest-0123456789';

/** Somebody who runs the server, at `/admin`. */
export class Operator {
  constructor(readonly page: Page) {}

  get token(): Locator {
    return this.page.getByLabel('Admin token');
  }

  get lock(): Locator {
    return this.page.getByRole('button', { name: 'Lock the page' });
  }

  get dialogue(): Locator {
    return this.page.getByRole('dialog');
  }

  /** A part of the page, by its heading. */
  part(name: RegExp): Locator {
    return this.page.getByRole('region', { name });
  }

  /** What a screen reader is told of the last thing that was done. */
  get said(): Locator {
    return this.page.locator('.admin-said[role=status]');
  }

  get live(): Locator {
    return this.page.getByRole('status').filter({ hasText: /^(Live|Not live, retrying)$/ });
  }

  async comes(token = TOKEN): Promise<void> {
    await this.page.goto('/admin');
    await this.types(token);
  }

  async types(token: string): Promise<void> {
    await expect(this.token).toBeEnabled();
    await this.token.fill(token);
    await this.token.press('Enter');
  }

  async isInside(): Promise<void> {
    await expect(this.lock).toBeVisible();
    await expect(this.live).toHaveText('Live');
  }

  /** Nobody gets credentials of this provider any more. */
  async pauses(provider: string): Promise<void> {
    await this.page.getByRole('button', { name: `Pause: ${provider}` }).click();
    await this.dialogue.getByRole('button', { name: 'Pause' }).click();
    await expect(this.said).toHaveText(`${provider} is paused.`);
  }
}
