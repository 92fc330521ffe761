import { isAccessible } from '../harness/axe';
import { broken, longEvening, redHarbour } from '../harness/film';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

test('axe finds nothing in German, on a phone, with the chat open', async ({ people }) => {
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce' } as const;
  const host = await people.host({ name: 'Ada' });
  const guest = await people.arrive({ ...phone, locale: 'de-DE' });
  await guest.page.goto(host.invite);
  await guest.page.getByRole('button', { name: 'Mitschauen' }).click();
  await expect(guest.page.getByRole('button', { name: 'Runde verlassen' })).toBeVisible();
  await isAccessible(guest.page, 'guest, waiting');
  await host.choose(longEvening);
  await seesFrames(guest.picture);
  await isAccessible(guest.page, 'guest');
  await guest.chat.click();
  await expect(guest.page.getByRole('textbox', { name: 'Nachricht' })).toBeFocused();
  await isAccessible(guest.page, 'guest, with the chat open');
});

test('axe finds nothing on either page, in the light and in the dark', async ({ people }) => {
  // A colour half-way through its transition is no colour of the design.
  const still = { reducedMotion: 'reduce' } as const;
  const visitor = await people.arrive(still);
  await visitor.home();
  await expect(visitor.create).toBeEnabled();
  await isAccessible(visitor.page, 'home');

  const host = await people.host({ name: 'Ada', password: 'correct horse' }, still);
  await isAccessible(host.page, 'host, before a film');

  const guest = await people.arrive(still);
  await guest.page.goto(host.invite);
  await expect(guest.join).toBeEnabled();
  await isAccessible(guest.page, 'join form');
  await guest.asksIn({ name: 'Bob', password: 'battery staple' });
  await guest.reads(/another password/i);
  await isAccessible(guest.page, 'join form with a wrong password');
  await guest.asksIn({ password: 'correct horse' });
  await guest.isInside();
  await isAccessible(guest.page, 'guest, before a film');

  await host.choose(broken);
  await host.reads(new RegExp(broken.title));
  await isAccessible(host.page, 'host, with a file that does not play');
  await host.choose(longEvening);
  await seesFrames(guest.stream);
  await isAccessible(host.page, 'host');
  await isAccessible(guest.page, 'guest');

  await guest.message.fill('Hello!');
  await guest.message.press('Enter');
  await expect(host.page.getByRole('log')).toContainText('Hello!');
  await isAccessible(host.page, 'host, with something said');
  for (const button of ['Options for Bob', 'Show QR code', 'Keyboard shortcuts']) {
    await host.picture.hover();
    await host.page.getByRole('button', { name: button }).click();
    await expect(host.page.getByRole('dialog')).toBeVisible();
    await isAccessible(host.page, `host, ${button}`);
    await host.page.keyboard.press('Escape');
    await expect(host.page.getByRole('dialog')).toBeHidden();
  }

  await host.pause();
  await guest.reads(/\bPaused\b/);
  await isAccessible(guest.page, 'guest, paused');
  await host.leave.click();
  await guest.reads(/the host has ended the session/i);
  await isAccessible(guest.page, 'guest, after the end');
});

test('axe finds nothing where something is unusual', async ({ people, tessro }) => {
  const still = { reducedMotion: 'reduce' } as const;
  const lost = await people.arrive(still);
  await lost.page.goto('/nowhere');
  await isAccessible(lost.page, 'a page that is nowhere');

  const host = await people.host({ name: 'Ada' }, still);
  const guest = await people.guest(host, { name: 'Bob' }, still);
  await host.film.setInputFiles([longEvening, redHarbour].map(({ file }) => file));
  await expect(host.films.getByRole('listitem')).toHaveCount(2);
  await host.addSubtitles.setInputFiles({ name: 'en.srt', mimeType: 'text/plain', buffer: Buffer.from('1\n00:00:00,000 --> 00:10:00,000\nHello.\n') });
  await seesFrames(guest.stream);
  await expect(guest.subtitles).toBeVisible();
  await guest.subtitles.click();
  await isAccessible(host.page, 'host, with a list of films and subtitles');
  await isAccessible(guest.page, 'guest, with subtitles');
  for (const { page, badge } of [host, guest]) {
    await badge.click();
    await expect(page.getByRole('dialog', { name: 'Connection' })).toBeVisible();
    await isAccessible(page, 'how the picture comes');
    await page.keyboard.press('Escape');
  }

  await host.page.reload();
  await host.reads(/again to go on/);
  await isAccessible(host.page, 'host, after a reload');
  await isAccessible(guest.page, 'guest, while the host chooses the film again');
  await tessro.kill();
  await expect(guest.page.getByRole('button', { name: 'Try now' })).toBeVisible({ timeout: 20_000 });
  await isAccessible(guest.page, 'guest, while the server is away');
  await tessro.startAgain();
  await expect(guest.page.getByRole('button', { name: 'Try now' })).toBeHidden({ timeout: 20_000 });

  await host.page.getByRole('button', { name: 'Options for Bob' }).click();
  await host.page.getByRole('button', { name: /^Remove/ }).click();
  await guest.reads(/removed/i);
  await isAccessible(guest.page, 'guest, removed');
});
