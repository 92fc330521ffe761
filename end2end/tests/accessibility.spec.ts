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

test('nothing is cut off or out of reach on a narrow or low screen', async ({ people }) => {
  const { host, guest } = await people.watching(longEvening);
  for (const [width, height] of [[320, 640], [360, 740], [740, 360]] as const) {
    for (const { page, volume, chat } of [host, guest]) {
      await page.setViewportSize({ width, height });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wide, `pixels past the edge at ${width} x ${height}`).toBeLessThanOrEqual(0);
      await page.mouse.move(width / 2, height / 4);
      await expect(volume).toBeInViewport();
      await expect(chat).toBeInViewport();
    }
    const picture = (await guest.stream.boundingBox())!;
    expect(picture.width * picture.height, `the picture at ${width} x ${height}`).toBeGreaterThan(0.2 * width * height);
    const low = await guest.page.evaluate(() => {
      const small = [...document.querySelectorAll<HTMLElement>('button, select, input:not([type=file]), a')].filter((one) => {
        const { width, height } = one.getBoundingClientRect();
        return width > 1 && height > 1 && (height < 24 || width < 24);
      });
      return small.map((one) => one.outerHTML.slice(0, 80));
    });
    expect(low, `targets below 24 pixels at ${width} x ${height}`).toEqual([]);
  }
});

test('"Try now" keeps the focus while the server is away, and hands it on when it is back', async ({ people, tessro }) => {
  const { page } = await people.host();
  await tessro.kill();
  const tryNow = page.getByRole('button', { name: 'Try now' });
  await tryNow.focus();
  for (let i = 0; i < 3; i += 1) {
    await page.keyboard.press('Enter');
    await expect(tryNow).toBeFocused();
  }
  await tessro.startAgain();
  await expect(tryNow).toBeHidden({ timeout: 20_000 });
  await expect(page.getByRole('main')).toBeFocused();
});

test('the focus is not lost when the same mistake is made twice', async ({ people }) => {
  const guest = await people.arrive();
  await guest.home();
  for (let i = 0; i < 2; i += 1) {
    await guest.code.fill('12');
    await guest.join.click();
    await expect(guest.code).toBeFocused();
    await guest.join.focus();
  }
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
