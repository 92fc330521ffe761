import { nightTrain } from '../harness/film';
import { hearsStereo } from '../harness/listening';
import { expect, test } from '../harness/test';
import { frames, gaps, motion, seesFrames, seesHue, watchGaps } from '../harness/watching';

test('a guest sees the film move, hears left and right apart, and reads what it is', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const guest = await people.guest(host, { name: 'Bob' });
  await host.choose(nightTrain);

  await expect(host.ownVideo).toBeVisible();
  await expect(guest.stream).toBeVisible();
  await seesFrames(guest.stream, 30);
  await seesHue(guest.stream, 'motley');
  // On a busy machine the encoder starts smaller and grows.
  await expect
    .poll(() => guest.stream.evaluate((video: HTMLVideoElement) => `${video.videoWidth}x${video.videoHeight}`))
    .toBe('1280x720');
  await hearsStereo(guest.stream);
  await guest.reads(new RegExp(nightTrain.title));
  await guest.reads(/0:20/);
});

test('a paused film stands and says so, and goes on where it stood', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);

  await host.pause();
  await guest.reads(/\bPaused\b/);
  // The encoder refines a standing picture for a moment; then it stands.
  await expect.poll(() => motion(guest.stream)).toBeLessThan(0.5);

  await host.play();
  await seesFrames(guest.stream);
  await guest.doesNotRead(/\bPaused\b/);
});

test('the position follows when the host seeks', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await guest.reads(/0:0\d/);
  await host.seek(15);
  await guest.reads(/0:1[5-9]/);
  await seesFrames(guest.stream);
});

test('a late guest gets the picture, also of a film that is paused', async ({ people }) => {
  const host = await people.host();
  await host.choose(nightTrain);
  await expect.poll(() => frames(host.ownVideo)).toBeGreaterThan(10);
  const late = await people.guest(host);
  await seesFrames(late.stream);

  await host.pause();
  await late.reads(/\bPaused\b/);
  const later = await people.guest(host);
  await later.reads(/\bPaused\b/);
  await seesHue(later.stream, 'motley');
  await host.play();
  await seesFrames(later.stream);
});

test('one of three guests leaves and disturbs nobody', async ({ people }) => {
  const host = await people.host();
  const [bob, cleo, dan] = [await people.guest(host), await people.guest(host), await people.guest(host)];
  await host.choose(nightTrain);
  for (const guest of [bob, cleo, dan]) await seesFrames(guest.stream);

  for (const guest of [bob, cleo]) await watchGaps(guest.stream);
  await dan.leave.click();
  await expect(host.participants.getByRole('listitem')).toHaveCount(3);
  await expect.poll(async () => (await gaps(bob.stream)).frames, { timeout: 20_000 }).toBeGreaterThan(60);
  for (const guest of [bob, cleo]) {
    const { longestMs, frames: shown } = await gaps(guest.stream);
    expect(shown).toBeGreaterThan(20);
    expect(longestMs, 'the longest time without a frame').toBeLessThan(1_000);
  }
});
