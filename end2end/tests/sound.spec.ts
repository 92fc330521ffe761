import type { Page } from '@playwright/test';
import { chromium } from '../harness/chromium';
import { nightTrain } from '../harness/film';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

// Sound needs a press here, as it does at home.
test.use({ launchOptions: chromium({ autoplay: 'as people have it' }) });

/**
 * Looks into a page without touching it. Everything that Playwright evaluates counts as a press, also its locators and
 * expectations, and a press is what this test must not make.
 */
async function lookingInto(page: Page): Promise<(expression: string) => Promise<unknown>> {
  const session = await page.context().newCDPSession(page);
  return async (expression) => {
    const { result } = await session.send('Runtime.evaluate', { expression, userGesture: false, returnByValue: true });
    return result.value as unknown;
  };
}

test('a browser that demands a press shows the picture muted, and one press turns the sound on', async ({ people }) => {
  const { guest } = await people.watching(nightTrain);

  // The press on "Join session" was enough so far; after a reload nobody pressed anything yet.
  const look = await lookingInto(guest.page);
  await guest.page.reload({ waitUntil: 'commit' });
  await expect
    .poll(() => look("document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"), { timeout: 20_000 })
    .toBeGreaterThan(15);
  await expect.poll(() => look('document.body.innerText')).toMatch(/Turn sound on/);
  expect(await look('navigator.userActivation.hasBeenActive'), 'pressed already').toBe(false);
  expect(await look("document.querySelector('video').muted")).toBe(true);

  await guest.turnSoundOn.click();
  await expect(guest.turnSoundOn).toBeHidden();
  await expect
    .poll(() => guest.stream.evaluate((video: HTMLVideoElement) => !video.muted && !video.paused && video.volume > 0))
    .toBe(true);
  await seesFrames(guest.stream);
});
