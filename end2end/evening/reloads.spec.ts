import { nightJourney, nightTrain, redHarbour } from '../harness/film';
import { atMost, percentile, written } from '../harness/figures';
import { picked, picture } from '../harness/moments';
import { expect, test } from '../harness/test';
import { seesFrames, seesHue, whenHue } from '../harness/watching';

test('a guest reloads, and the picture is back by itself', async ({ people }) => {
  const { host, guest } = await people.watching(nightJourney);
  const took: number[] = [];
  for (let time = 0; time < 25; time += 1) {
    await guest.page.reload({ waitUntil: 'commit' });
    const { at } = await picture(guest.page, 20_000);
    took.push(at - (await guest.page.evaluate(() => window.moments.begun)));
    await seesFrames(guest.stream);
  }
  written('guest reload to picture, median of 25', `${percentile(took, 0.5).toFixed(0)} ms`);
  atMost('guest reload to picture, 95 % of 25', percentile(took, 0.95), 3_000, 'ms');
  await expect(host.participants.getByRole('listitem')).toHaveCount(2);
});

test('another film is picked, and guests see it', async ({ people }) => {
  const host = await people.host();
  const guests = [await people.guest(host), await people.guest(host)];
  await host.choose(nightTrain);
  for (const guest of guests) await seesHue(guest.stream, 'motley');
  const took: number[] = [];
  for (let time = 0; time < 10; time += 1) {
    const [film, wanted] = time % 2 === 0 ? [redHarbour, 'red' as const] : [nightTrain, 'motley' as const];
    const seen = Promise.all(guests.map((guest) => whenHue(guest.stream, wanted)));
    await host.choose(film);
    const all = await seen;
    const begun = await picked(host.page);
    took.push(...all.map((at) => at - begun));
    await Promise.all(guests.map((guest) => seesFrames(guest.stream)));
  }
  written('film switched to picture, median of 20', `${percentile(took, 0.5).toFixed(0)} ms`);
  atMost('film switched to picture, worst of 20', Math.max(...took), 2_000, 'ms');
});
