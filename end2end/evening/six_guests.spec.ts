import { setTimeout as sleep } from 'node:timers/promises';
import { chromium as launcher } from '@playwright/test';
import { chromium } from '../harness/chromium';
import { costs } from '../harness/cost';
import { nightJourney } from '../harness/film';
import { atLeast, atMost, written } from '../harness/figures';
import { Person } from '../harness/people';
import { test } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

const seconds = 60;
/** The host's encoders find their step. */
const settleMs = 10_000;

test('six guests of a 720p film', async ({ browser, people, tessro }) => {
  // A browser of its own for the host, so that its cost can be told from that of the guests.
  const hosts = await launcher.launch(chromium({ autoplay: 'as people have it' }));
  try {
    const host = await Person.arrive(hosts, tessro.origin);
    await host.createSession({ name: 'Ada' });
    const guests: Person[] = [];
    const viewport = process.env.VIEW ? { width: Number(process.env.VIEW.split('x')[0]), height: Number(process.env.VIEW.split('x')[1]) } : undefined;
    for (let number = 0; number < 6; number += 1) guests.push(await people.guest(host, {}, viewport ? { viewport } : {}));
    await host.choose(nightJourney);
    for (const guest of guests) await seesFrames(guest.stream, 15, 60_000);
    await sleep(settleMs);

    const before = { host: await costs(hosts), guests: await costs(browser) };
    const begun = await host.page.evaluate(() => performance.timeOrigin + performance.now());
    for (const guest of guests) await noteFrames(guest.stream);
    const heights: number[][] = guests.map(() => []);
    while (Date.now() < begun + seconds * 1_000) {
      for (const [place, guest] of guests.entries()) {
        heights[place]!.push(await guest.stream.evaluate((video: HTMLVideoElement) => video.videoHeight));
      }
      await sleep(1_000);
    }
    const end = begun + seconds * 1_000;
    const after = { host: await costs(hosts), guests: await costs(browser) };
    for (const [place, guest] of guests.entries()) {
      const times = (await frameTimes(guest.stream)).filter((at) => at <= end);
      atLeast(`six guests, frames a second of guest ${place + 1}`, times.length / ((end - times[0]!) / 1_000), 24, 'fps');
      atLeast(`six guests, smallest height of guest ${place + 1}`, Math.min(...heights[place]!), 360, 'lines');
      atMost(`six guests, longest gap of guest ${place + 1}`, longestGap(times), 500, 'ms');
    }
    for (const who of ['host', 'guests'] as const) {
      for (const [kind, { cpu, memory }] of after[who]) {
        const share = ((cpu - (before[who].get(kind)?.cpu ?? 0)) / seconds) * 100;
        written(`six guests, ${who}, ${kind} process`, `${share.toFixed(0)} % of one core, ${(memory / 2 ** 20).toFixed(0)} MiB`);
      }
    }
  } finally {
    await hosts.close();
  }
});
