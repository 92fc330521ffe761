import { expect, test } from '@playwright/test';
import { barePage, loopThroughTwoPeers } from '../harness/bare_page';
import { nightTrain } from '../harness/film';
import { hear, hearsStereo } from '../harness/listening';
import { hue, seesFrames } from '../harness/watching';

// What measures the product is itself measured here, against two bare peer connections in one page.
test('the instruments hear stereo apart, hear silence, and see a picture move', async ({ page }) => {
  const bare = await barePage(nightTrain);
  await page.goto(bare.url);
  await page.evaluate(loopThroughTwoPeers);
  const guest = page.locator('#guest');
  await seesFrames(guest);
  expect(await hue(guest)).toBe('motley');
  await hearsStereo(guest);
  await page.evaluate(() => (window as unknown as { host: HTMLVideoElement }).host.pause());
  await expect.poll(async () => (await hear(guest)).left.low).toBeLessThan(-70);
  await bare.close();
});
