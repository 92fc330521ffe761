import type { Page } from '@playwright/test';
import { nightTrain } from '../harness/film';
import { expect, test } from '../harness/test';
import { frames, seesHue } from '../harness/watching';

/** Holds the app back for 2.5 s, as a slow line does. What it returns resolves once the app was let go. */
async function slowLine(page: Page): Promise<() => Promise<void>> {
  let letGo: () => void;
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  await page.route('**/*.wasm', (route) => {
    setTimeout(() => void route.continue().finally(letGo), 2_500);
  });
  return () => gone;
}

/** A press where the button is, whether it listens yet or not. */
async function impatientPress(page: Page, name: string): Promise<void> {
  const box = await page.getByRole('button', { name }).boundingBox();
  await page.mouse.click(box!.x + box!.width / 2, box!.y + box!.height / 2);
}

test('the home page loses nothing that is typed and pressed before the app is there', async ({ people }) => {
  const host = await people.arrive();
  const arrived = await slowLine(host.page);
  await host.page.goto('/', { waitUntil: 'commit' });
  await host.name.fill('Ada');
  await host.password.fill('correct horse');
  await host.password.press('Enter');
  await impatientPress(host.page, 'Create session');
  await arrived();
  await expect(host.create.or(host.leave)).toBeEnabled();
  if (await host.create.isVisible()) {
    await expect(host.name).toHaveValue('Ada');
    await expect(host.password).toHaveValue('correct horse');
    await host.create.click();
  }
  await host.isInside();
  await expect(host.participant('Ada')).toBeVisible();
  expect(host.requests.filter((address) => address.includes('horse')), 'a password in an address').toEqual([]);

  // The password came along: without it nobody gets in.
  const guest = await people.arrive();
  await guest.page.goto(host.invite);
  await guest.asksIn({ name: 'Bob' });
  await guest.reads(/password/i);
  await expect(guest.leave).toBeHidden();
});

test('the session page loses nothing that is typed and pressed before the app is there', async ({ people }) => {
  const host = await people.host({ name: 'Ada', password: 'correct horse' });
  const guest = await people.arrive();
  const arrived = await slowLine(guest.page);
  await guest.page.goto(host.invite, { waitUntil: 'commit' });
  await guest.name.fill('Bob');
  await guest.password.fill('correct horse');
  await guest.password.press('Enter');
  await impatientPress(guest.page, 'Join session');
  await arrived();
  await expect(guest.join.or(guest.leave)).toBeEnabled();
  if (await guest.join.isVisible()) {
    await expect(guest.name).toHaveValue('Bob');
    await expect(guest.password).toHaveValue('correct horse');
    await guest.join.click();
  }
  await guest.isInside();
  await expect(host.participant('Bob')).toBeVisible();
  expect(guest.requests.filter((address) => address.includes('horse')), 'a password in an address').toEqual([]);
});

test('a film that the host chooses while the app is still on its way is streamed', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  const arrived = await slowLine(host.page);
  await host.page.reload({ waitUntil: 'commit' });
  // Either the page takes the file at once and keeps it, or it does not offer to.
  const early = (await host.film.count()) > 0 && (await host.film.isVisible()) && (await host.film.isEnabled());
  if (early) await host.film.setInputFiles(nightTrain.file);
  await arrived();
  if (!early) await host.choose(nightTrain);
  await seesHue(guest.stream, 'motley');
  await expect.poll(() => frames(guest.stream)).toBeGreaterThan(30);
});
