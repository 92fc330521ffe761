import { setTimeout as sleep } from 'node:timers/promises';
import { apart } from '../harness/apart';
import { nightJourney } from '../harness/film';
import { atLeast, atMost, written } from '../harness/figures';
import { hearsStereo, isLoud } from '../harness/listening';
import { noteSilence, soundGaps } from '../harness/sound_gaps';
import { expect } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

const seconds = 100;
/** What the ladder has to find its step. */
const settleMs = 10_000;

apart.use({ direct: 'open' });

apart('through 3 Mbps with 80 ms and 2 % loss the film plays on', async ({ apart: stage }) => {
  await stage.namespaces.narrow(1, { bitsPerSecond: 3_000_000, delayMs: 80, lossPercent: 2, queueMs: 300 });
  // What hears silence is a worklet of the test's own, which the page's policy lets nobody bring.
  const { host, guest } = await stage.pair({ bypassCSP: true });
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 10, 30_000);
  const begun = await guest.page.evaluate(() => performance.timeOrigin + performance.now());
  await noteFrames(guest.stream);
  await noteSilence(guest.stream);
  await hearsStereo(guest.stream, 30_000);
  await isLoud(guest.stream);
  const steps: { at: number; height: number }[] = [];
  while (Date.now() < begun + seconds * 1_000) {
    const height = await guest.stream.evaluate((video: HTMLVideoElement) => video.videoHeight);
    if (steps.at(-1)?.height !== height) steps.push({ at: Date.now() - begun, height });
    await sleep(100);
  }
  // Ends a silence that lasts, so that it is known: a meter that hears nothing must not pass for a film without gaps.
  await hearsStereo(guest.stream);
  await isLoud(guest.stream);
  const times = await frameTimes(guest.stream);
  const settled = times.filter((at) => at >= begun + settleMs);
  const rate = settled.length / ((settled.at(-1)! - settled[0]!) / 1_000);
  written('narrow line, steps of the ladder', steps.map(({ at, height }) => `${height}p at ${(at / 1_000).toFixed(1)} s`).join(', '));
  atLeast('narrow line, frames a second', rate, 20, 'fps');
  atMost('narrow line, longest time without a frame', longestGap(times, begun, begun + seconds * 1_000), 1_500, 'ms');
  // One lost packet of sound is 20 ms; the browser fills it in.
  const silent = (await soundGaps(guest.stream)).filter(({ at }) => at > 2_000).map(({ ms }) => ms);
  atMost('narrow line, longest silence', Math.max(0, ...silent), 20, 'ms');
  const late = steps.slice(1).map(({ at }) => at).filter((at) => at > settleMs);
  const crowded = Math.max(0, ...late.map((from) => late.filter((at) => at >= from && at < from + 30_000).length));
  atMost('narrow line, steps of the ladder in any 30 s after the first 10', crowded, 1, '');
});

apart('through an upload of 1 Mbps the film goes out, and the host reads how little the line carries', async ({ apart: stage }) => {
  await stage.namespaces.narrow(0, { bitsPerSecond: 1_000_000, delayMs: 40, lossPercent: 0, queueMs: 300 });
  const { host, guest } = await stage.pair();
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 10, 30_000);
  await host.reads(/Your upload (is nearly used up|carries no more)\./, 60_000);
  const meter = host.page.getByRole('meter', { name: 'Upload' });
  await expect(meter).toHaveAttribute('aria-valuetext', /^\d+\.\d of \d+\.\d Mbps$/);
  written('narrow upload, as the host reads it', (await meter.getAttribute('aria-valuetext'))!);
  await seesFrames(guest.stream, 60, 30_000);
});
