import { broken, nightTrain, oldTape, redHarbour, silentSea, threeSeconds } from '../harness/film';
import { loseSockets, openSockets } from '../harness/instruments';
import { hearsStereo } from '../harness/listening';
import type { Person } from '../harness/people';
import { onTheSameConnections } from '../harness/same';
import { expect, test, type People } from '../harness/test';
import { seesFrames, seesHue } from '../harness/watching';

async function threeGuests(people: People, host: Person): Promise<Person[]> {
  return [await people.guest(host), await people.guest(host), await people.guest(host)];
}

test('the end is said, its picture stays for whoever comes then, and the same film plays again', async ({ people }) => {
  const host = await people.host();
  const guests = await threeGuests(people, host);
  await host.choose(threeSeconds);
  for (const guest of guests) await guest.reads(/the film has ended/i);
  const late = await people.guest(host);
  await late.reads(/the film has ended/i);
  await seesHue(late.stream, 'green');
  guests.push(late);
  await onTheSameConnections([host, ...guests], async () => {
    await host.play();
    await Promise.all(guests.map((guest) => seesFrames(guest.stream)));
    for (const guest of guests) await seesHue(guest.stream, 'green');
  });
});

test('another film chosen while one plays, and while one is paused, reaches three guests', async ({ people }) => {
  const host = await people.host();
  const guests = await threeGuests(people, host);
  await host.choose(nightTrain);
  for (const guest of guests) await seesHue(guest.stream, 'motley');
  await onTheSameConnections([host, ...guests], async () => {
    for (const [film, hue, length] of [[redHarbour, 'red', /0:30/], [nightTrain, 'motley', /0:20/]] as const) {
      await host.choose(film);
      for (const guest of guests) {
        await seesHue(guest.stream, hue);
        await guest.reads(new RegExp(film.title));
        await guest.reads(length);
      }
      await Promise.all(guests.map((guest) => seesFrames(guest.stream)));
      await host.pause();
      for (const guest of guests) await guest.reads(/\bPaused\b/);
    }
  });
});

test('a lost line to the server is taken up again, and the picture goes on meanwhile', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await onTheSameConnections([host, guest], async () => {
    for (const { page } of [guest, host]) {
      expect(await loseSockets(page)).toBe(1);
      await expect.poll(() => openSockets(page)).toBe(1);
      await seesFrames(guest.stream);
    }
  });
  for (const person of [host, guest]) await expect(person.participants.getByRole('listitem')).toHaveCount(2);
  await host.pause();
  await guest.reads(/\bPaused\b/);
});

test('a film without sound plays', async ({ people }) => {
  await people.watching(silentSea);
});

test('a film with sound can follow one without', async ({ people }) => {
  const { host, guest } = await people.watching(silentSea);
  await host.choose(redHarbour);
  await seesHue(guest.stream, 'red');
  await expect
    .poll(() =>
      guest.stream.evaluate((video: HTMLVideoElement) =>
        (video.srcObject as MediaStream).getAudioTracks().some((track) => track.readyState === 'live' && !track.muted),
      ),
    )
    .toBe(true);
});

for (const [what, film] of Object.entries({ 'bytes that are no film': broken, 'a film of codecs that no browser has': oldTape })) {
  test(`${what}: a sentence says that it does not play and why, and another film can be chosen`, async ({ people }) => {
    const host = await people.host();
    const guest = await people.guest(host);
    await host.choose(film);
    await host.reads(new RegExp(film.title));
    await host.reads(/does not play\. \S+/);
    await host.choose(redHarbour);
    await seesHue(guest.stream, 'red');
    await host.doesNotRead(new RegExp(film.title));
  });
}

for (const [what, film] of Object.entries({ 'bytes that are no film': broken, 'a film of codecs that no browser has': oldTape })) {
  test(`${what}, chosen while a film plays: guests read that there is none, until a good one is chosen`, async ({ people }) => {
    const { host, guest } = await people.watching(nightTrain);
    await guest.reads(/\bStreaming\b/);

    await host.choose(film);
    await host.reads(/does not play\. \S+/);
    await guest.reads(/Waiting for the host to choose a film/);
    await guest.doesNotRead(/\bStreaming\b/);
    await guest.doesNotRead(new RegExp(nightTrain.title));

    await host.choose(redHarbour);
    await seesHue(guest.stream, 'red');
    await seesFrames(guest.stream);
    await guest.reads(/\bStreaming\b/);
  });
}

/** A file input that still holds the file says nothing when a person chooses the same one again. */
async function holdsNoFile({ film }: Person): Promise<void> {
  await expect
    .poll(() => film.evaluate((input: HTMLInputElement) => input.files!.length), { message: 'files that the input holds' })
    .toBe(0);
}

test('the very same file chosen again after its end starts again', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(threeSeconds);
  await guest.reads(/the film has ended/i);
  await holdsNoFile(host);
  await host.choose(threeSeconds);
  await guest.doesNotRead(/the film has ended/i);
  await seesFrames(guest.stream);
  await seesHue(guest.stream, 'green');
  await holdsNoFile(host);
});

test('the very same file chosen again in the middle starts again', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await holdsNoFile(host);
  await host.seek(14);
  await guest.reads(/0:1[4-9]/);
  await host.choose(nightTrain);
  await guest.reads(/0:0\d/, 5_000);
  await guest.doesNotRead(/0:1\d/);
  await seesFrames(guest.stream);
  await holdsNoFile(host);
});

test('a browser that calls it mozCaptureStream streams the picture and both sides of the sound', async ({ people }) => {
  const host = await people.arrive();
  await host.page.addInitScript(() => {
    const element = HTMLMediaElement.prototype as unknown as Record<string, unknown>;
    element.mozCaptureStream = element.captureStream;
    delete element.captureStream;
  });
  await host.createSession();
  const guest = await people.guest(host);
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
  await seesHue(guest.stream, 'motley');
  await hearsStereo(guest.stream);
  expect(await host.page.evaluate(() => 'captureStream' in HTMLMediaElement.prototype)).toBe(false);
});
