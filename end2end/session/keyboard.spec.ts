import { longEvening } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

const volume = ({ picture }: Person) => picture.evaluate((video: HTMLVideoElement) => Math.round(video.volume * 100));

/** Nothing has the focus but the page. */
const leaveFields = ({ page }: Person) => page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());

test('the host plays, pauses and seeks with keys, and guests follow', async ({ people }) => {
  const { host, guest } = await people.watching(longEvening);
  await leaveFields(host);
  await host.page.keyboard.press('Space');
  await expect.poll(() => host.isPaused()).toBe(true);
  await guest.reads(/\bPaused\b/);
  const before = await host.position();
  for (let i = 0; i < 4; i += 1) await host.page.keyboard.press('ArrowRight');
  await expect.poll(() => host.position()).toBeGreaterThanOrEqual(before + 19);
  await host.page.keyboard.press('ArrowLeft');
  await expect.poll(() => host.position()).toBeLessThan(before + 16);
  await guest.reads(/0:1\d/);
  await host.page.keyboard.press('Space');
  await expect.poll(() => host.isPaused()).toBe(false);
});

test('a guest has sound and size under their keys, and no hand on the film', async ({ people }) => {
  const { host, guest } = await people.watching(longEvening);
  await leaveFields(guest);
  await guest.page.keyboard.press('ArrowDown');
  await guest.page.keyboard.press('ArrowDown');
  await expect.poll(() => volume(guest)).toBe(90);
  await guest.page.keyboard.press('m');
  await expect.poll(() => guest.isMuted()).toBe(true);
  await expect(guest.page.getByRole('button', { name: 'Unmute' })).toBeAttached();
  await guest.page.keyboard.press('m');
  await expect.poll(() => guest.isMuted()).toBe(false);
  await guest.page.keyboard.press('Space');
  await guest.page.keyboard.press('ArrowRight');
  expect(await guest.isPaused()).toBe(false);
  expect(await host.isPaused()).toBe(false);

  await guest.page.keyboard.press('f');
  await expect.poll(() => guest.page.evaluate(() => document.fullscreenElement?.id)).toBe('main');
  // The chat leaves with the frame that fills the screen.
  await expect(guest.message).toBeHidden();
  await guest.page.keyboard.press('c');
  await expect(guest.message).toBeFocused();
  await guest.page.keyboard.press('Escape');
  if (await guest.page.evaluate(() => document.fullscreenElement !== null)) await guest.page.keyboard.press('f');
  await seesFrames(guest.stream);
});

test('what is typed is typed, and a focused control keeps its keys', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  await host.choose(longEvening);
  await seesFrames(host.ownVideo);
  await host.message.click();
  await host.page.keyboard.type('m f c ? and a space');
  await expect(host.message).toHaveValue('m f c ? and a space');
  expect(await host.isMuted()).toBe(false);
  expect(await host.isPaused()).toBe(false);
  await expect(host.page.getByRole('dialog')).toBeHidden();

  await host.volume.focus();
  const before = await host.position();
  await host.page.keyboard.press('ArrowLeft');
  await expect.poll(() => volume(host)).toBe(95);
  expect(await host.position()).toBeGreaterThanOrEqual(before);
});

test('a list says what the keys do, and letters can be turned off for good', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  await host.choose(longEvening);
  await seesFrames(host.ownVideo);
  await leaveFields(host);
  await host.page.keyboard.press('?');
  const list = host.page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(list).toBeVisible();
  await expect(list).toContainText('5 seconds back or forward');
  await list.getByRole('switch', { name: 'Use single keys' }).click();
  await host.page.keyboard.press('Escape');
  await expect(list).toBeHidden();
  await leaveFields(host);
  await host.page.keyboard.press('m');
  expect(await host.isMuted()).toBe(false);
  await host.page.reload();
  await host.isInside();
  await host.page.keyboard.press('?');
  await expect(list).toBeHidden();
});
