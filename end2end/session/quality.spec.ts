import type { Locator, Page } from '@playwright/test';
import { isRelayed, sending } from '../harness/connection_stats';
import { longEvening, nightJourney, nightTrain } from '../harness/film';
import { flow, receivedBits } from '../harness/media';
import type { Person } from '../harness/people';
import { expect, relayed, test } from '../harness/test';
import { hue, seesFrames, seesHue } from '../harness/watching';

/** The first frame that the element shows: how large it is, and how long after the first byte of a picture came. */
async function firstFrame(person: Person): Promise<{ width: number; height: number; msAfterMedia: number }> {
  return person.picture.evaluate(
    (video: HTMLVideoElement) =>
      new Promise<{ width: number; height: number; msAfterMedia: number }>((resolve) => {
        let media: number | undefined;
        const look = async () => {
          for (const peer of window.instruments.living()) {
            (await peer.getStats()).forEach((stat) => {
              if (stat.type === 'inbound-rtp' && stat.kind === 'video' && stat.bytesReceived > 0) media ??= performance.now();
            });
          }
          if (media === undefined) setTimeout(look, 10);
        };
        void look();
        video.requestVideoFrameCallback((now, frame) => {
          resolve({ width: frame.width, height: frame.height, msAfterMedia: now - (media ?? now) });
        });
      }),
  );
}

/** How large the picture is that arrives. */
async function lines(page: Page): Promise<number> {
  return (await flow(page)).height;
}

function quality({ page }: Person): Locator {
  return page.getByRole('group', { name: 'Quality' });
}

async function chooses(host: Person, choice: string): Promise<void> {
  await quality(host).getByRole('radio', { name: choice }).check();
}

test('the very first frame of a 720p film is 720p, within a second', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  const first = firstFrame(guest);
  await host.choose(nightTrain);
  const { width, height, msAfterMedia } = await first;
  expect([width, height]).toEqual([1280, 720]);
  expect(msAfterMedia, 'ms from the first byte of the picture to its first frame').toBeLessThan(1000);
});

test('a paused film costs next to nothing, and goes on at once', async ({ people }) => {
  const host = await people.host();
  const guests = [await people.guest(host), await people.guest(host)];
  await host.choose(nightTrain);
  for (const guest of guests) await seesFrames(guest.stream);
  await host.pause();
  for (const guest of guests) await guest.reads(/\bPaused\b/);
  await host.page.waitForTimeout(2_500);
  const bits = await Promise.all(guests.map(({ page }) => receivedBits(page, 5)));
  for (const each of bits) expect(each, 'bits a second while paused').toBeLessThan(20_000);
  await host.play();
  for (const guest of guests) await seesFrames(guest.stream, 15, 3_000);
});

test('whoever joins or reloads while the film stands sees its picture within 3 s, and then nothing more is sent', async ({ people }) => {
  const host = await people.host();
  const first = await people.guest(host);
  await host.choose(nightTrain);
  await seesFrames(first.stream);
  await host.pause();
  await host.page.waitForTimeout(4_000);
  const late = await people.guest(host);
  await seesHue(late.stream, 'motley', 3_000);
  await first.page.reload();
  await first.isInside();
  await seesHue(first.stream, 'motley', 3_000);
  await host.page.waitForTimeout(3_500);
  for (const { page } of [first, late]) expect(await receivedBits(page, 4)).toBeLessThan(20_000);
  // Another place in the film is another picture, for everybody.
  const before = await Promise.all([first, late].map(async ({ page }) => (await flow(page)).framesDecoded));
  await host.seek(12);
  for (const [place, { page }] of [first, late].entries()) {
    await expect.poll(async () => (await flow(page)).framesDecoded, { timeout: 3_000 }).toBeGreaterThan(before[place]!);
  }
});

test('the host chooses 480p, sound only, and all of it again', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await expect.poll(() => lines(guest.page)).toBe(720);
  await chooses(host, '480p');
  await expect.poll(() => lines(guest.page), { timeout: 5_000 }).toBe(480);
  await chooses(host, 'Sound only');
  await expect
    .poll(async () => {
      const before = await flow(guest.page);
      await guest.page.waitForTimeout(1_000);
      const after = await flow(guest.page);
      return { frames: after.framesDecoded - before.framesDecoded, sound: after.bytesReceived - before.bytesReceived > 10_000 };
    })
    .toEqual({ frames: 0, sound: true });
  await chooses(host, 'Auto');
  await seesFrames(guest.stream);
  await expect.poll(() => lines(guest.page)).toBe(720);
});

relayed('over relays the host sends 480p where they say so, and 720p over all other ways', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await expect.poll(() => lines(guest.page)).toBe(720);
  const spare = host.page.getByRole('switch', { name: 'Lower quality over relays' });
  await spare.click();
  await expect(spare).toBeChecked();
  await host.page.waitForTimeout(3_000);
  expect(await lines(guest.page), 'lines of a direct picture').toBe(720);
  await guest.hideMyAddress();
  await seesFrames(guest.stream);
  await isRelayed(guest.page);
  await expect.poll(() => lines(guest.page)).toBe(480);
  await spare.click();
  await expect.poll(() => lines(guest.page)).toBe(720);
});

/** Runs in the page, first of all: a machine that encodes this codec in hardware, and no other. */
function encodesInHardware(codec: string): void {
  const ask = MediaCapabilities.prototype.encodingInfo;
  MediaCapabilities.prototype.encodingInfo = async function (this: MediaCapabilities, question: MediaEncodingConfiguration) {
    const info = await ask.call(this, question);
    return { ...info, smooth: true, powerEfficient: question.video?.contentType === `video/${codec}` };
  };
}

/** Runs in the page, first of all: a machine that decodes these codecs too slowly for a film. */
function stumblesOver(codecs: string[]): void {
  const ask = MediaCapabilities.prototype.decodingInfo;
  MediaCapabilities.prototype.decodingInfo = async function (this: MediaCapabilities, question: MediaDecodingConfiguration) {
    const info = await ask.call(this, question);
    return { ...info, smooth: !codecs.some((codec) => question.video?.contentType === `video/${codec}`) };
  };
}

/** Runs in the page, first of all: a machine of two processors that takes so long for each frame, whatever its size. */
function encodesIn(frameMs: number): void {
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 });
  const ask = RTCPeerConnection.prototype.getStats;
  RTCPeerConnection.prototype.getStats = async function (this: RTCPeerConnection, selector?: MediaStreamTrack | null) {
    const report = new Map<string, any>();
    (await ask.call(this, selector)).forEach((stat, id) => {
      const isPicture = stat.type === 'outbound-rtp' && stat.kind === 'video';
      report.set(id, isPicture ? { ...stat, totalEncodeTime: ((stat.framesEncoded ?? 0) * frameMs) / 1_000 } : stat);
    });
    return report as unknown as RTCStatsReport;
  };
}

test('a host whose machine encodes too slowly sends the smallest picture worth watching, and reads why', async ({ people }) => {
  const host = await people.arrive();
  await host.page.addInitScript(encodesIn, 100);
  await host.createSession();
  const guest = await people.guest(host);
  await host.choose(nightJourney);
  await seesFrames(guest.stream);
  await expect.poll(() => lines(guest.page), { timeout: 20_000 }).toBe(360);
  await host.reads(/Your computer cannot encode more for so many\. The picture is made smaller\./, 25_000);
  await seesFrames(guest.stream);
});

test('a host whose machine encodes one codec by itself sends that one', async ({ people }) => {
  const host = await people.arrive();
  await host.page.addInitScript(encodesInHardware, 'VP9');
  await host.createSession();
  const guest = await people.guest(host);
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
  await expect.poll(async () => (await sending(host.page)).codec).toBe('video/VP9');
});

test('a guest whose machine is too slow for the cheap codecs gets the next one', async ({ people }) => {
  const host = await people.host();
  const guest = await people.arrive();
  await guest.page.addInitScript(stumblesOver, ['H264', 'VP8']);
  await guest.joinByLink(host.invite);
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
  await expect.poll(async () => (await sending(host.page)).codec).toBe('video/VP9');
});

test('the host sees what is sent', async ({ people }) => {
  const host = await people.host();
  const meter = host.page.getByRole('meter', { name: 'Upload' });
  await expect(meter).toHaveCount(0);
  const guest = await people.guest(host);
  await host.choose(longEvening);
  await seesFrames(guest.stream);
  await expect(meter).toBeVisible();
  await expect(meter).toHaveAttribute('aria-valuetext', /Mbps/);
  expect(await hue(guest.stream)).not.toBe('nothing');
});
