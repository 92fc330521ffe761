import type { Page } from '@playwright/test';
import { expect, test } from '../harness/test';

/** What only a session needs; the start page goes without. */
const part = /\/pkg\/split_[^/]*\.wasm/;

/** Answers requests for the part as told, until let go. */
async function instead(page: Page, answer: Parameters<Page['route']>[1]): Promise<() => Promise<void>> {
  await page.route(part, answer);
  return () => page.unroute(part);
}

test('the start page loads its own part alone, and the rest when somebody touches a form', async ({ people }) => {
  const host = await people.arrive();
  await host.page.goto('/', { waitUntil: 'networkidle' });
  await expect(host.create).toBeEnabled();
  const parts = () => host.requests.filter((address) => part.test(address));
  expect(parts()).toEqual([]);
  await host.name.focus();
  await expect.poll(() => parts().length).toBe(1);
  await host.create.click();
  await host.isInside();
  expect(parts().length).toBe(1);
});

test('a name from an earlier session stands in the form before the rest is loaded', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  await host.leave.click();
  host.requests.length = 0;
  await host.home();
  await expect(host.name).toHaveValue('Ada');
  expect(host.requests.filter((address) => part.test(address))).toEqual([]);
});

test('a press is kept while the rest is on its way, and people read that it is', async ({ people }) => {
  const host = await people.arrive();
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await instead(host.page, (route) => held.then(() => route.continue()));
  await host.home();
  await host.name.fill('Ada');
  await host.password.fill('correct horse');
  await host.create.click();
  await host.reads(/one moment/i);
  await expect(host.create).toBeDisabled();
  letGo();
  await host.isInside();
  await expect(host.participant('Ada')).toBeVisible();
});

test.describe('where a part cannot be had', () => {
  test.use({ faultless: false });

  const away = {
    'since the server is away': (route) => route.abort(),
    'since the server has another build by now': (route) => route.fulfill({ status: 404, body: 'Not found' }),
  } satisfies Record<string, Parameters<Page['route']>[1]>;

  for (const [why, answer] of Object.entries(away)) {
    test(`the start page says so, keeps what was typed and tries again, ${why}`, async ({ people }) => {
      const host = await people.arrive();
      const back = await instead(host.page, answer);
      await host.home();
      await host.name.fill('Ada');
      await host.password.fill('correct horse');
      await host.create.click();
      await host.reads(/could not be loaded.+reload/i);
      await expect(host.name).toHaveValue('Ada');
      await expect(host.password).toHaveValue('correct horse');
      await back();
      await host.create.click();
      await host.isInside();
      await expect(host.participant('Ada')).toBeVisible();
    });

    test(`the session page says so and can be loaded again, ${why}`, async ({ people }) => {
      const host = await people.host();
      const guest = await people.arrive();
      const back = await instead(guest.page, answer);
      await guest.page.goto(host.invite);
      await guest.reads(/something broke/i);
      await back();
      await guest.page.getByRole('link', { name: 'Reload' }).click();
      await guest.asksIn({ name: 'Bob' });
      await guest.isInside();
    });
  }
});
