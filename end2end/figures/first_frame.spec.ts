import type { Locator } from '@playwright/test';
import { barePage, loopThroughTwoPeers } from '../harness/bare_page';
import { nightTrain } from '../harness/film';
import { median } from '../harness/median';
import { picked } from '../harness/moments';
import { expect, test } from '../harness/test';

const runs = 20;

/** When the element shows its next first frame, as the clock that all pages of a machine share. */
function firstFrame(video: Locator): Promise<number> {
  return video.evaluate(
    (element: HTMLVideoElement) =>
      new Promise<number>((resolve) => {
        element.requestVideoFrameCallback((now) => resolve(performance.timeOrigin + now));
      }),
  );
}

test('film picked to first frame at a guest already there', async ({ people, page }) => {
  test.setTimeout(300_000);
  const ours: number[] = [];
  const bare: number[] = [];
  const alone = await barePage(nightTrain);
  for (let run = 0; run < runs; run += 1) {
    const host = await people.host();
    const guest = await people.guest(host);
    await expect(host.film).toBeEnabled();
    const seen = firstFrame(guest.picture);
    await host.choose(nightTrain);
    ours.push((await seen) - (await picked(host.page)));
    await guest.context.close();
    await host.context.close();

    await page.goto(alone.url);
    bare.push(await page.evaluate(loopThroughTwoPeers));
    // Left alone it would go on encoding beside the next one of ours.
    await page.goto('about:blank');
  }
  await alone.close();
  const round = (figures: number[]) => figures.map(Math.round).sort((a, b) => a - b).join(' ');
  console.log(`first frame, own contexts: median ${median(ours).toFixed(0)} ms of ${round(ours)}`);
  console.log(`first frame, two bare peers in one page: median ${median(bare).toFixed(0)} ms of ${round(bare)}`);
  console.log(`ratio ${(median(ours) / median(bare)).toFixed(2)}`);
});
