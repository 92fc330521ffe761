import { setTimeout as sleep } from 'node:timers/promises';
import { nightJourney } from '../harness/film';
import { atMost, written } from '../harness/figures';
import { loseSockets, openSockets } from '../harness/instruments';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

/** The longest time without a frame in so many seconds, from now on, while something is done. */
async function longestGapWithin(guest: Person, seconds: number, act: () => Promise<void> = async () => {}): Promise<number> {
  await noteFrames(guest.stream);
  const begun = await guest.page.evaluate(() => performance.timeOrigin + performance.now());
  await act();
  await sleep(Math.max(0, begun + seconds * 1_000 - Date.now()));
  return longestGap(await frameTimes(guest.stream), begun, begun + seconds * 1_000);
}

test('the host loses the line to the server, and the picture never stops', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 150);
  const quiet = await longestGapWithin(guest, 15);
  const cut = await longestGapWithin(guest, 15, async () => {
    for (let time = 0; time < 3; time += 1) {
      expect(await loseSockets(host.page)).toBe(1);
      await expect.poll(() => openSockets(host.page)).toBe(1);
    }
  });
  written('longest gap in 15 quiet seconds', `${quiet.toFixed(0)} ms`);
  atMost("longest gap, the host's socket cut three times", cut, quiet + 100, 'ms');
});
