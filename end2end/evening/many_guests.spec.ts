import { setTimeout as sleep } from 'node:timers/promises';
import { chromium as launcher, type Browser, type BrowserContextOptions } from '@playwright/test';
import { chromium } from '../harness/chromium';
import { costs } from '../harness/cost';
import { nightJourney } from '../harness/film';
import { atLeast, atMost, written } from '../harness/figures';
import { Person } from '../harness/people';
import { test, type People } from '../harness/test';
import { countFrames, frameTimes, longestGap, seesFrames } from '../harness/watching';

const seconds = 60;
/** The host's encoders find their step. */
const settleMs = 15_000;

/** What a guest watches in. All of them are painted by this machine's two cores, which nobody's guests share at home. */
interface Window {
  name: string;
  options: BrowserContextOptions;
}

const desk: Window = { name: '', options: {} };
const phone: Window = { name: ' on phones', options: { viewport: { width: 740, height: 360 }, isMobile: true, hasTouch: true } };

interface Seen {
  fps: number;
  height: number;
  gap: number;
}

/** What each of so many guests sees of a 720p film for a minute; what it costs is written down. */
async function seenBy(number: number, stage: { browser: Browser; people: People; origin: string; window?: Window; only?: string }): Promise<Seen[]> {
  const window = stage.window ?? desk;
  const name = `${number} guests${window.name}${stage.only ? ', nothing but the picture' : ''}`;
  // A browser of its own for the host, so that its cost can be told from that of the guests.
  const hosts = await launcher.launch(chromium({ autoplay: 'as people have it' }));
  try {
    const host = await Person.arrive(hosts, stage.origin);
    await host.createSession({ name: 'Ada' });
    const guests: Person[] = [];
    // The page's own policy takes no styles of a test's.
    const options = stage.only ? { ...window.options, bypassCSP: true } : window.options;
    for (let place = 0; place < number; place += 1) guests.push(await stage.people.guest(host, {}, options));
    if (stage.only) for (const { page } of guests) await page.addStyleTag({ content: stage.only });
    await host.choose(nightJourney);
    for (const { stream } of guests) await seesFrames(stream, 15, 60_000);
    await sleep(settleMs);

    const before = { host: await costs(hosts), guests: await costs(stage.browser) };
    for (const { stream } of guests) await countFrames(stream);
    const begun = Date.now();
    const heights: number[][] = guests.map(() => []);
    while (Date.now() < begun + seconds * 1_000) {
      for (const [place, { stream }] of guests.entries()) {
        heights[place]!.push(await stream.evaluate((video: HTMLVideoElement) => video.videoHeight));
      }
      await sleep(5_000);
    }
    const end = begun + seconds * 1_000;
    const after = { host: await costs(hosts), guests: await costs(stage.browser) };
    for (const who of ['host', 'guests'] as const) {
      for (const [kind, { cpu, memory }] of after[who]) {
        const share = ((cpu - (before[who].get(kind)?.cpu ?? 0)) / seconds) * 100;
        if (share < 3) continue;
        written(`${name}, ${who}, ${kind} process`, `${share.toFixed(0)} % of one core, ${(memory / 2 ** 20).toFixed(0)} MiB`);
      }
    }
    const seen: Seen[] = [];
    for (const [place, { stream }] of guests.entries()) {
      const times = (await frameTimes(stream)).filter((at) => at >= begun && at <= end);
      seen.push({ fps: times.length / seconds, height: Math.min(...heights[place]!), gap: longestGap(times, begun, end) });
    }
    for (const what of ['fps', 'height', 'gap'] as const) written(`${name}, ${what}`, seen.map((one) => one[what].toFixed(0)).join(', '));
    for (const { context } of guests) await context.close();
    return seen;
  } finally {
    await hosts.close();
  }
}

test('three guests of a 720p film', async ({ browser, people, tessro: { origin } }) => {
  const seen = await seenBy(3, { browser, people, origin });
  atLeast('3 guests, frames a second, fewest', Math.min(...seen.map(({ fps }) => fps)), 24, 'fps');
  atLeast('3 guests, smallest height', Math.min(...seen.map(({ height }) => height)), 360, 'lines');
  atMost('3 guests, longest gap', Math.max(...seen.map(({ gap }) => gap)), 500, 'ms');
});

test('six guests of a 720p film, on phones', async ({ browser, people, tessro: { origin } }) => {
  const seen = await seenBy(6, { browser, people, origin, window: phone });
  atLeast('6 guests on phones, frames a second, fewest', Math.min(...seen.map(({ fps }) => fps)), 24, 'fps');
  atLeast('6 guests on phones, smallest height', Math.min(...seen.map(({ height }) => height)), 360, 'lines');
  atMost('6 guests on phones, longest gap', Math.max(...seen.map(({ gap }) => gap)), 500, 'ms');
});

// Seven people's browsers on one machine, without a graphics card: what the page adds is told by what is left of it.
test('six guests of a 720p film, and what a page would cost that is nothing but the picture', async ({ browser, people, tessro: { origin } }) => {
  const seen = await seenBy(6, { browser, people, origin });
  const only = `body > * { visibility: hidden } video { visibility: visible; position: fixed; inset: 0 auto auto 0; width: 640px !important; height: 360px !important }`;
  const bare = await seenBy(6, { browser, people, origin, only });
  const mean = (all: Seen[]) => all.reduce((sum, { fps }) => sum + fps, 0) / all.length;
  atLeast('6 guests, smallest height', Math.min(...seen.map(({ height }) => height)), 360, 'lines');
  atLeast('6 guests, frames a second, of what the picture alone would have', (mean(seen) / mean(bare)) * 100, 70, '%');
});
