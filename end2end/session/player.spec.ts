import { longEvening, nightTrain } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

const controls = ({ page }: Person) => page.getByRole('group', { name: 'Player' });
const opacity = (person: Person) => controls(person).evaluate((element) => Number(getComputedStyle(element).opacity));

test('controls go while the film runs and nobody moves, and come back', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  for (const person of [host, guest]) {
    await person.page.mouse.move(5, 5);
    await expect.poll(() => opacity(person)).toBe(0);
    await person.picture.hover();
    await person.page.mouse.move(300, 300);
    await expect.poll(() => opacity(person)).toBe(1);
    await expect.poll(() => opacity(person)).toBe(0);
    await person.page.keyboard.press('Shift');
    await expect.poll(() => opacity(person)).toBe(1);
  }
  // With the keyboard in them they stay.
  await guest.volume.focus();
  await guest.page.keyboard.press('ArrowLeft');
  await guest.page.waitForTimeout(3_500);
  expect(await opacity(guest)).toBe(1);
  // A film that stands keeps them in sight.
  await host.pause();
  await guest.reads(/\bPaused\b/);
  await host.page.waitForTimeout(3_500);
  expect(await opacity(host)).toBe(1);
});

test('the host plays, pauses and seeks with the controls, and guests see where the film is', async ({ people }) => {
  const { host, guest } = await people.watching(longEvening);
  await host.picture.hover();
  await host.page.getByRole('button', { name: 'Pause' }).click();
  await guest.reads(/\bPaused\b/);
  await expect(host.page.getByRole('button', { name: 'Play', exact: true })).toBeVisible();
  await host.page.getByRole('slider', { name: 'Position in the film' }).fill('90');
  await expect(host.page.getByRole('slider', { name: 'Position in the film' })).toHaveAttribute('aria-valuetext', '1:30 of 3:00');
  const mirrored = guest.page.getByRole('progressbar', { name: 'Position in the film' });
  await expect.poll(() => mirrored.evaluate((bar: HTMLProgressElement) => bar.value)).toBe(90);
  await expect(guest.page.getByRole('slider', { name: 'Position in the film' })).toHaveCount(0);
  await expect(guest.page.getByRole('button', { name: 'Play', exact: true })).toHaveCount(0);
  await host.page.getByRole('button', { name: 'Play', exact: true }).click();
  await guest.reads(/\bStreaming\b/);
});

test('sound is everybody’s own', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await guest.picture.hover();
  await guest.page.getByRole('button', { name: 'Mute' }).click();
  await expect(guest.volume).toHaveValue('0');
  await guest.volume.fill('40');
  await expect(guest.page.getByRole('button', { name: 'Mute' })).toBeAttached();
  expect(await guest.picture.evaluate((video: HTMLVideoElement) => [video.muted, video.volume])).toEqual([false, 0.4]);
  expect(await host.picture.evaluate((video: HTMLVideoElement) => [video.muted, video.volume])).toEqual([false, 1]);
});

test('the whole page fills the screen, with the chat in reach', async ({ people }) => {
  const { guest } = await people.watching(nightTrain);
  await guest.picture.hover();
  await guest.page.getByRole('button', { name: 'Full screen' }).click();
  await expect.poll(() => guest.page.evaluate(() => document.fullscreenElement?.id)).toBe('main');
  await expect(guest.message).toBeHidden();
  await guest.chat.click();
  await expect(guest.message).toBeFocused();
  await guest.picture.hover({ position: { x: 100, y: 300 } });
  await guest.page.getByRole('button', { name: 'Leave full screen' }).click();
  await expect.poll(() => guest.page.evaluate(() => document.fullscreenElement)).toBe(null);
  await seesFrames(guest.stream);
});

test('the screen stays on while the film plays, and the system knows what plays', async ({ people }) => {
  const host = await people.arrive();
  await host.page.addInitScript(() => {
    const locks: string[] = [];
    Object.assign(window, { locks });
    Object.defineProperty(navigator, 'wakeLock', {
      value: {
        request: (kind: string) => {
          locks.push(kind);
          return Promise.resolve({ released: false, release: () => Promise.resolve(locks.push('released')) });
        },
      },
    });
  });
  const locks = () => host.page.evaluate(() => (window as unknown as { locks: string[] }).locks);
  await host.createSession({ name: 'Ada' });
  await host.choose(longEvening);
  await seesFrames(host.ownVideo);
  await expect.poll(locks).toEqual(['screen']);
  expect(await host.page.evaluate(() => [navigator.mediaSession.metadata?.title, navigator.mediaSession.playbackState])).toEqual([
    'Long Evening',
    'playing',
  ]);
  await host.pause();
  await expect.poll(locks).toEqual(['screen', 'released']);
});

test("a guest's screen stays on by the browser's own lock while the film plays, and no longer", async ({ people }) => {
  const host = await people.host();
  const guest = await people.arrive();
  await guest.context.grantPermissions(['screen-wake-lock']);
  await guest.page.addInitScript(() => {
    const locks: string[] = [];
    Object.assign(window, { locks });
    const request = WakeLock.prototype.request;
    WakeLock.prototype.request = async function (this: WakeLock, kind?: WakeLockType) {
      const lock = await request.call(this, kind);
      locks.push(lock.type);
      lock.addEventListener('release', () => locks.push('released'));
      return lock;
    };
  });
  const locks = () => guest.page.evaluate(() => (window as unknown as { locks: string[] }).locks);
  await guest.joinByLink(host.invite);
  await host.choose(longEvening);
  await seesFrames(guest.stream);
  await expect.poll(locks).toEqual(['screen']);
  await host.pause();
  await expect.poll(locks).toEqual(['screen', 'released']);
  await host.play();
  await expect.poll(locks).toEqual(['screen', 'released', 'screen']);
  await host.leave.click();
  await expect.poll(locks).toEqual(['screen', 'released', 'screen', 'released']);
});
