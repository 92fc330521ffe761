import { setTimeout as sleep } from 'node:timers/promises';
import { apart } from '../harness/apart';
import { pairs } from '../harness/connection_stats';
import { nightJourney } from '../harness/film';
import { atMost } from '../harness/figures';
import type { Person } from '../harness/people';
import { expect } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

/** Whether a relay is on the path: this end's, or the other's as this end sees it. */
async function isRelayed(host: Person, guest: Person): Promise<boolean> {
  const selected = (await Promise.all([pairs(host.page), pairs(guest.page)])).map((all) => all.find((pair) => pair.selected));
  return selected.some((pair) => !pair || pair.relay || pair.remote === 'relay');
}

apart('a direct way that opens after a minute is found, and the picture hardly notices', async ({ apart: stage }) => {
  const { host, guest } = await stage.pair();
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 60, 20_000);
  await sleep(60_000);
  expect(stage.namespaces.dropped, 'packets that went straight and were dropped').toBeGreaterThan(0);
  expect(await isRelayed(host, guest)).toBe(true);
  await noteFrames(guest.stream);
  stage.namespaces.openDirect();
  const opened = Date.now();
  await expect.poll(() => isRelayed(host, guest), { timeout: 120_000, intervals: [250] }).toBe(false);
  atMost('direct way opened to direct', (Date.now() - opened) / 1_000, 60, 's');
  await seesFrames(guest.stream, 90);
  atMost('longest gap on the way to direct', longestGap(await frameTimes(guest.stream)), 200, 'ms');
});
