import { setTimeout as sleep } from 'node:timers/promises';
import { nightJourney } from '../harness/film';
import { atLeast, atMost } from '../harness/figures';
import { withoutCaptureStream } from '../harness/older_browsers';
import { RawChromium } from '../harness/raw_chromium';
import { expect, test } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

const seconds = 60;

const browsers = [
  { what: 'whose films are captured by themselves', figures: 'host hidden', first: undefined },
  { what: 'whose films are painted on a canvas', figures: 'host hidden, canvas', first: withoutCaptureStream },
];
for (const { what, figures, first } of browsers) {
  test(`the page of a host's browser ${what} is hidden behind another tab for a minute, and guests see the film`, async ({ people, tessro }) => {
    const chromium = await RawChromium.start();
    try {
      const host = await chromium.tab(`${tessro.origin}/`, first);
      const button = (name: string) => `[...document.querySelectorAll('button')].find((button) => button.innerText.trim() === '${name}')`;
      await host.until(`${button('Create session')} && !${button('Create session')}.disabled`);
      expect(await host.evaluate<boolean>("'captureStream' in HTMLMediaElement.prototype"), 'captureStream').toBe(!first);
      await host.evaluate(`${button('Create session')}.click()`);
      await host.until(`/\\/s\\/[^/]+$/.test(location.pathname) && document.querySelector('input[type=file]:not([disabled])')`);
      const guest = await people.arrive();
      await guest.joinByLink(await host.evaluate<string>('location.href'));
      await host.choose('input[type=file]', nightJourney.file);
      await seesFrames(guest.stream, 60);
      expect(await host.evaluate('document.hidden')).toBe(false);

      const other = await chromium.tab('about:blank');
      await host.until('document.hidden', 5_000);
      await noteFrames(guest.stream);
      const begun = Date.now();
      const hidden: boolean[] = [];
      while (Date.now() < begun + seconds * 1_000) {
        hidden.push(await host.evaluate<boolean>('document.hidden'));
        await sleep(1_000);
      }
      expect(hidden.filter((one) => !one), 'times when the page was seen').toEqual([]);
      const times = (await frameTimes(guest.stream)).filter((at) => at <= begun + seconds * 1_000);
      atLeast(`${figures}, frames at the guest`, (times.length / (30 * seconds)) * 100, 90, '% of 30 fps');
      atMost(`${figures}, longest gap`, longestGap(times), 500, 'ms');
      await other.toFront();
      await host.toFront();
      await host.until('!document.hidden', 5_000);
    } finally {
      await chromium.stop();
    }
  });
}
