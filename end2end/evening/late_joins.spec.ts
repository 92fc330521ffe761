import { setTimeout as sleep } from 'node:timers/promises';
import { fragments, isRelayed } from '../harness/connection_stats';
import { nightTrain, redHarbour, threeSeconds } from '../harness/film';
import { atMost, percentile, written } from '../harness/figures';
import { moments, picture } from '../harness/moments';
import type { Person } from '../harness/people';
import { expect, relayed, type People } from '../harness/test';
import { seesFrames } from '../harness/watching';

// One guest is there from the beginning; another joins by the link, sees, and leaves, again and again.

/** Sees to it, once the guest has a picture, that it was as it was meant to be. */
type Proof = () => Promise<void>;

/** What the host does just before a guest presses "Join session", or at the same time. */
const situations: Record<string, (host: Person) => Promise<Proof | void>> = {
  'at a random moment': async (host) => {
    await host.seek(Math.random() * 12);
    await host.play();
    await sleep(Math.random() * 1_000);
  },
  'while the film is paused': async (host) => {
    await host.seek(2 + Math.random() * 10);
    await host.pause();
    await sleep(Math.random() * 2_500);
  },
  'after its end': async (host) => {
    await host.choose(threeSeconds);
    await expect.poll(() => host.ownVideo.evaluate((video: HTMLVideoElement) => video.ended)).toBe(true);
  },
  'during a change of film': async (host) => {
    const title = await host.page.locator('body').innerText();
    await host.choose(title.includes(redHarbour.title) ? nightTrain : redHarbour);
    await sleep(Math.random() * 600);
  },
  'during an ICE restart': async (host) => {
    await host.play();
    // The one connection that is there before: to the guest of the beginning.
    const [before] = await fragments(host.page);
    expect(before, 'the host is connected').toBeTruthy();
    await host.page.evaluate(() => void dispatchEvent(new Event('online')));
    await sleep(Math.random() * 300);
    const restarted = async () => {
      const [now] = await fragments(host.page);
      return now !== undefined && now !== before;
    };
    return () => expect.poll(restarted, { message: 'ICE is restarted' }).toBe(true);
  },
};

/** Joins once: from the press to the first picture, in milliseconds. */
async function joinOnce(guest: Person, situation: (typeof situations)[string], host: Person, hidden: boolean): Promise<number> {
  await guest.page.goto(host.invite);
  await expect(guest.join).toBeEnabled();
  const proof = await situation(host);
  await guest.join.click();
  const { at } = await picture(guest.page, 15_000).catch(async () => ({ at: Infinity, text: await guest.page.innerText('body') }));
  const { pressed } = await moments(guest.page);
  if (hidden && at < Infinity) await isRelayed(guest.page);
  await proof?.();
  await guest.leave.click();
  await guest.reads(/you left the session/i);
  return at - pressed!;
}

async function joins(people: People, name: string, times: number, hidden: boolean): Promise<void> {
  const host = await people.host();
  const early = await people.guest(host);
  const late = await people.arrive();
  if (hidden) {
    await host.hideMyAddress();
    await late.page.goto(host.invite);
    await late.hideMyAddress();
  }
  const all: number[] = [];
  for (const [what, situation] of Object.entries(situations)) {
    // Each situation begins with a film that runs.
    await host.choose(nightTrain);
    await seesFrames(early.stream);
    const took: number[] = [];
    for (let time = 0; time < times; time += 1) took.push(await joinOnce(late, situation, host, hidden));
    written(`late join ${name} ${what}, median and worst of ${times}`, `${percentile(took, 0.5).toFixed(0)} and ${Math.max(...took).toFixed(0)} ms`);
    all.push(...took);
  }
  atMost(`late joins ${name}, worst of ${all.length}`, Math.max(...all), 3_000, 'ms');
}

// Whoever tests joins more often than people do.
relayed.use({ environment: { RATE_LIMIT_CREDENTIALS: '100000/1m' } });
relayed.setTimeout(900_000);

relayed('a hundred guests come late, each in a situation of its own', async ({ people }) => {
  await joins(people, 'direct', 20, false);
});

relayed('thirty guests come late while credentials take 600 ms', async ({ people, cloudflare }) => {
  cloudflare.delayMs = 600;
  await joins(people, 'with slow credentials', 6, false);
});

relayed('thirty guests come late over a relay', async ({ people }) => {
  await joins(people, 'relayed', 6, true);
});
