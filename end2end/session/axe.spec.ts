import AxeBuilder from '@axe-core/playwright';
import { broken, longEvening } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

/** In the light, and what the dark changes: its colours. */
async function isAccessible({ page }: Person, what: string): Promise<void> {
  const axe = () => new AxeBuilder({ page });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await (colorScheme === 'light' ? axe() : axe().withRules('color-contrast')).analyze();
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target).join('; ')})`);
    expect(found, `${what}, ${colorScheme}`).toEqual([]);
  }
}

test('axe finds nothing in German, on a phone, with the chat open', async ({ people }) => {
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce' } as const;
  const host = await people.host({ name: 'Ada' });
  const guest = await people.arrive({ ...phone, locale: 'de-DE' });
  await guest.page.goto(host.invite);
  await guest.page.getByRole('button', { name: 'Mitschauen' }).click();
  await expect(guest.page.getByRole('button', { name: 'Runde verlassen' })).toBeVisible();
  await isAccessible(guest, 'guest, waiting');
  await host.choose(longEvening);
  await seesFrames(guest.picture);
  await isAccessible(guest, 'guest');
  await guest.chat.click();
  await expect(guest.page.getByRole('textbox', { name: 'Nachricht' })).toBeFocused();
  await isAccessible(guest, 'guest, with the chat open');
});

test('axe finds nothing on either page, in the light and in the dark', async ({ people }) => {
  // A colour half-way through its transition is no colour of the design.
  const still = { reducedMotion: 'reduce' } as const;
  const visitor = await people.arrive(still);
  await visitor.home();
  await expect(visitor.create).toBeEnabled();
  await isAccessible(visitor, 'home');

  const host = await people.host({ name: 'Ada', password: 'correct horse' }, still);
  await isAccessible(host, 'host, before a film');

  const guest = await people.arrive(still);
  await guest.page.goto(host.invite);
  await expect(guest.join).toBeEnabled();
  await isAccessible(guest, 'join form');
  await guest.asksIn({ name: 'Bob', password: 'battery staple' });
  await guest.reads(/another password/i);
  await isAccessible(guest, 'join form with a wrong password');
  await guest.asksIn({ password: 'correct horse' });
  await guest.isInside();
  await isAccessible(guest, 'guest, before a film');

  await host.choose(broken);
  await host.reads(new RegExp(broken.title));
  await isAccessible(host, 'host, with a file that does not play');
  await host.choose(longEvening);
  await seesFrames(guest.stream);
  await isAccessible(host, 'host');
  await isAccessible(guest, 'guest');

  await guest.message.fill('Hello!');
  await guest.message.press('Enter');
  await expect(host.page.getByRole('log')).toContainText('Hello!');
  await isAccessible(host, 'host, with something said');
  for (const button of ['Options for Bob', 'Show QR code', 'Keyboard shortcuts']) {
    await host.picture.hover();
    await host.page.getByRole('button', { name: button }).click();
    await expect(host.page.getByRole('dialog')).toBeVisible();
    await isAccessible(host, `host, ${button}`);
    await host.page.keyboard.press('Escape');
    await expect(host.page.getByRole('dialog')).toBeHidden();
  }

  await host.pause();
  await guest.reads(/\bPaused\b/);
  await isAccessible(guest, 'guest, paused');
  await host.leave.click();
  await guest.reads(/the host has ended the session/i);
  await isAccessible(guest, 'guest, after the end');
});
