import { setTimeout as sleep } from 'node:timers/promises';
import { nightJourney, nightTrain } from '../harness/film';
import { atLeast, atMost, percentile, written } from '../harness/figures';
import { received, sending, sent } from '../harness/connection_stats';
import { hear, hearsStereo, isLoud } from '../harness/listening';
import { forgetFrames, moments, picked } from '../harness/moments';
import { expect, test } from '../harness/test';
import { frames, seesFrames } from '../harness/watching';

test('the first frame that a guest sees of a 720p film is 720p', async ({ people }) => {
  const took: number[] = [];
  const heights: number[] = [];
  const bits: number[] = [];
  for (let time = 0; time < 10; time += 1) {
    const host = await people.host();
    const guest = await people.guest(host);
    await forgetFrames(guest.page);
    await host.choose(nightTrain);
    await seesFrames(guest.stream, 5);
    const { first } = await moments(guest.page);
    took.push(first!.at - (await picked(host.page)));
    heights.push(first!.height);
    await expect.poll(async () => (await sending(host.page)).degradationPreference).toBe('maintain-resolution');
    const { contentHint, maxBitrate, codec } = await sending(host.page);
    expect(contentHint, 'what matters in the picture').toBe('motion');
    bits.push(maxBitrate!);
    // The one that costs least in software, where the browser has it.
    const codecs = await host.page.evaluate(() => RTCRtpSender.getCapabilities('video')!.codecs.map(({ mimeType }) => mimeType));
    expect(codec, 'the codec in use').toBe(['video/H264', 'video/VP8'].find((one) => codecs.includes(one)));
    await guest.context.close();
    await host.context.close();
  }
  written('film picked to first frame, median of 10', `${percentile(took, 0.5).toFixed(0)} ms`);
  atMost('film picked to first frame, worst of 10', Math.max(...took), 1_000, 'ms');
  atLeast('height of the first frame, smallest of 10', Math.min(...heights), 720, 'lines');
  atLeast('bits that the picture may take at most, smallest of 10', Math.min(...bits) / 1_000, 4_000, 'kbps');
});

test('both sides of the sound arrive apart, at a rate worth hearing', async ({ people }) => {
  const { guest } = await people.watching(nightJourney);
  await hearsStereo(guest.stream, 30_000);
  await isLoud(guest.stream);
  const { left, right } = await hear(guest.stream);
  atLeast('sound, 440 Hz left above right', left.low - right.low, 30, 'dB');
  atLeast('sound, 880 Hz right above left', right.high - left.high, 30, 'dB');
  await sleep(5_000);
  const before = await received(guest.page, 'audio');
  await sleep(10_000);
  const after = await received(guest.page, 'audio');
  atLeast('sound, rate', ((after.bytes - before.bytes) * 8) / (after.at - before.at), 128, 'kbps');
});

test('next to nothing is sent while the film is paused', async ({ people }) => {
  const host = await people.host();
  const guests = [await people.guest(host), await people.guest(host)];
  await host.choose(nightJourney);
  for (const guest of guests) await seesFrames(guest.stream, 60);
  await host.pause();
  for (const guest of guests) await guest.reads(/\bPaused\b/);
  await sleep(2_000);
  const before = await sent(host.page);
  await sleep(15_000);
  const after = await sent(host.page);
  expect(after.length).toBe(2);
  for (const [place, { bytes, at }] of after.entries()) {
    atMost(`paused, sent to guest ${place + 1}`, ((bytes - before[place]!.bytes) * 8) / (at - before[place]!.at), 20, 'kbps');
  }
  await host.play();
  for (const guest of guests) {
    const had = await frames(guest.stream);
    await expect.poll(() => frames(guest.stream)).toBeGreaterThan(had + 15);
  }
});
