import { expect } from '@playwright/test';
import { peersBuilt } from './instruments';
import type { Person } from './people';
import { isMarked, mark } from './watching';

/** Runs `change` and sees to it that nobody built a connection or got another `<video>` for it. */
export async function onTheSameConnections(everyone: Person[], change: () => Promise<void>): Promise<void> {
  for (const { picture } of everyone) await mark(picture);
  const before = await Promise.all(everyone.map(({ page }) => peersBuilt(page)));
  await change();
  expect(await Promise.all(everyone.map(({ page }) => peersBuilt(page))), 'connections built').toEqual(before);
  for (const { picture } of everyone) expect(await isMarked(picture), 'the very same element').toBe(true);
}
