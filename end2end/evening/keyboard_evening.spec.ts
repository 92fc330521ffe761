import type { Locator } from '@playwright/test';
import { longEvening } from '../harness/film';
import { written } from '../harness/figures';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

// From the start page to the farewell without a mouse. Every control is reached by Tab, and can be seen to have the focus.

let tabs = 0;

/** Goes on with Tab until the control has the focus. */
async function tabTo({ page }: Person, control: Locator): Promise<void> {
  await expect(control).toBeVisible();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await control.evaluate((element) => element === document.activeElement)) {
      const ring = await control.evaluate((element) => {
        // A file input and the like may show its focus on what surrounds it.
        const around = [element, element.parentElement!, ...Array.from(element.parentElement!.children)];
        return around.some((one) => {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
          return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
        });
      });
      expect(ring, `a visible focus on ${String(control)}`).toBe(true);
      return;
    }
    await page.keyboard.press('Tab');
    tabs += 1;
  }
  throw new Error(`not reached in 80 presses of Tab: ${String(control)}`);
}

async function press(person: Person, control: Locator, key = 'Enter'): Promise<void> {
  await tabTo(person, control);
  await person.page.keyboard.press(key);
}

async function says(person: Person, words: string): Promise<void> {
  await tabTo(person, person.message);
  await person.page.keyboard.type(words);
  await person.page.keyboard.press('Enter');
}

test('the whole evening with the keyboard alone', async ({ people }) => {
  test.setTimeout(300_000);
  const host = await people.arrive();
  await host.home();
  await expect(host.create).toBeEnabled();
  await tabTo(host, host.name);
  await host.page.keyboard.type('Ada');
  await press(host, host.create);
  await host.isInside();

  const guest = await people.arrive();
  await guest.home();
  await expect(guest.join).toBeEnabled();
  await tabTo(guest, guest.name);
  await guest.page.keyboard.type('Bob');
  await tabTo(guest, guest.code);
  await guest.page.keyboard.type(host.sessionCode);
  await press(guest, guest.join);
  await guest.isInside();

  const chooser = host.page.waitForEvent('filechooser');
  await press(host, host.film, 'Space');
  await (await chooser).setFiles(longEvening.file);
  await seesFrames(guest.stream, 15, 30_000);

  await says(host, 'Is the sound all right?');
  await guest.reads(/Is the sound all right\?/);
  await says(guest, 'Perfect');
  await host.reads(/Perfect/);

  await press(guest, guest.page.getByRole('button', { name: /^(Mute|Unmute)$/ }));
  await press(guest, guest.page.getByRole('button', { name: 'Love it' }));
  await press(host, host.page.getByRole('button', { name: 'Pause' }));
  await expect.poll(() => host.isPaused()).toBe(true);
  await guest.reads(/\bPaused\b/);
  await press(host, host.page.getByRole('button', { name: 'Play', exact: true }));
  await expect.poll(() => host.isPaused()).toBe(false);
  await tabTo(host, host.page.getByRole('slider', { name: 'Position in the film' }));
  for (let time = 0; time < 6; time += 1) await host.page.keyboard.press('PageUp');
  await guest.reads(/[1-2]:\d\d/);
  await seesFrames(guest.stream);

  await tabTo(guest, guest.volume);
  await guest.page.keyboard.press('ArrowLeft');
  await press(guest, guest.page.getByRole('button', { name: 'Full screen' }));
  await expect.poll(() => guest.page.evaluate(() => document.fullscreenElement !== null)).toBe(true);
  await press(guest, guest.page.getByRole('button', { name: 'Leave full screen' }));
  await expect.poll(() => guest.page.evaluate(() => document.fullscreenElement !== null)).toBe(false);

  await press(guest, guest.leave);
  await guest.reads(/you left the session/i);
  await press(host, host.leave);
  await host.reads(/you have ended the session/i);
  written('the evening with the keyboard alone, presses of Tab', String(tabs));
});
