import type { Page } from '@playwright/test';
import { chromium } from '../harness/chromium';
import { nightTrain, redHarbour, silentSea } from '../harness/film';
import { hearsStereo } from '../harness/listening';
import { withoutCaptureStream } from '../harness/older_browsers';
import { onTheSameConnections } from '../harness/same';
import { expect, test } from '../harness/test';
import { seesFrames, seesHue } from '../harness/watching';

test.use({ launchOptions: chromium({ devices: 'made up' }) });

/** What the page asked the browser for, by method. */
async function listenIn(page: Page): Promise<() => Promise<{ method: string; wanted: Record<string, unknown> }[]>> {
  await page.addInitScript(() => {
    const asked: unknown[] = [];
    Object.assign(window, { asked });
    for (const method of ['getDisplayMedia', 'getUserMedia'] as const) {
      const real = MediaDevices.prototype[method];
      MediaDevices.prototype[method] = function (this: MediaDevices, wanted?: MediaStreamConstraints) {
        asked.push({ method, wanted });
        return real.call(this, wanted);
      };
    }
  });
  return () => page.evaluate(() => (window as unknown as { asked: { method: string; wanted: Record<string, unknown> }[] }).asked);
}

for (const [kind, title] of [['screen', 'Screen'], ['camera', 'Camera']] as const) {
  test(`the ${kind} takes the film's place without a new connection, and the film takes it back`, async ({ people }) => {
    const host = await people.arrive();
    const asked = await listenIn(host.page);
    await host.createSession();
    const guest = await people.guest(host);
    await host.choose(redHarbour);
    await seesHue(guest.stream, 'red');
    await onTheSameConnections([host, guest], async () => {
      await (kind === 'screen' ? host.shareScreen : host.useCamera).click();
      await guest.reads(new RegExp(`\\b${title}\\b`));
      // What Chromium makes up is green.
      await seesHue(guest.stream, 'green');
      await seesFrames(guest.stream);
      await guest.reads(/\bLIVE\b/);
      await guest.doesNotRead(/0:30/);
      expect(await host.isMuted(), 'no echo at the host').toBe(true);

      await host.films.getByRole('button', { name: `Play now: ${redHarbour.title}` }).click();
      await seesHue(guest.stream, 'red');
      await guest.reads(/0:30/);
      expect(await host.isMuted()).toBe(false);
    });
    const [call] = await asked();
    expect(call!.method).toBe(kind === 'screen' ? 'getDisplayMedia' : 'getUserMedia');
    if (kind === 'screen') {
      expect(call!.wanted.audio).toMatchObject({ echoCancellation: false, noiseSuppression: false, autoGainControl: false });
    }
  });
}

test('"Stop sharing" and the browser\'s own bar end it with a sentence, and a guest who comes later sees what is on', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.shareScreen.click();
  await seesFrames(guest.stream);
  const late = await people.guest(host);
  await seesFrames(late.stream);
  await host.stopSharing.click();
  await guest.reads(/Waiting for the host/);

  await host.shareScreen.click();
  await guest.reads(/\bLIVE\b/);
  // The bar ends the track, which no script can do with an event.
  await host.picture.evaluate((video: HTMLVideoElement) => {
    const [track] = (video.srcObject as MediaStream).getVideoTracks();
    track!.stop();
    track!.dispatchEvent(new Event('ended'));
  });
  await host.reads(/Your screen is no longer shared\. Choose what to show next\./);
  await guest.reads(/Waiting for the host/);
});

const refusals = [
  ['a person who says no', 'NotAllowedError', /Nothing is shared\. Press “Share screen” again/, 'shareScreen'],
  ['a camera that may not be used', 'NotAllowedError', /may not use the camera\. Allow it beside the address/, 'useCamera'],
  ['no camera', 'NotFoundError', /There is no camera\. Plug one in/, 'useCamera'],
  ['a camera that another program has', 'NotReadableError', /Another program uses the camera\. Close it/, 'useCamera'],
] as const;
for (const [what, name, words, button] of refusals) {
  test(`${what}: a sentence says what to do, and the film goes on`, async ({ people }) => {
    const host = await people.arrive();
    await host.page.addInitScript((name) => {
      for (const method of ['getDisplayMedia', 'getUserMedia'] as const) {
        MediaDevices.prototype[method] = () => Promise.reject(new DOMException('refused', name));
      }
    }, name);
    await host.createSession();
    const guest = await people.guest(host);
    await host.choose(redHarbour);
    await seesHue(guest.stream, 'red');
    await host[button].click();
    await host.reads(words);
    await seesFrames(guest.stream);
  });
}

test('an insecure origin: the page says why there is no screen', async ({ people }) => {
  const host = await people.arrive();
  await host.page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined });
    Object.defineProperty(window, 'isSecureContext', { get: () => false });
  });
  await host.createSession();
  await host.shareScreen.click();
  await host.reads(/only on pages that come over https\. Films from disk work here all the same\./);
});

const olderBrowsers = {
  'that has neither captureStream nor mozCaptureStream': withoutCaptureStream,
  'that calls it mozCaptureStream': () => {
    Object.assign(HTMLMediaElement.prototype, {
      mozCaptureStream: (HTMLMediaElement.prototype as unknown as { captureStream: unknown }).captureStream,
    });
    Reflect.deleteProperty(HTMLMediaElement.prototype, 'captureStream');
  },
};
for (const [what, age] of Object.entries(olderBrowsers)) {
  test(`a host's browser ${what}: picture and both sides of the sound, one film after the other`, async ({ people }) => {
    const host = await people.arrive();
    await host.page.addInitScript(age);
    await host.createSession();
    const guest = await people.guest(host);
    await host.choose(nightTrain);
    await seesHue(guest.stream, 'motley');
    await seesFrames(guest.stream, 60);
    await hearsStereo(guest.stream);
    await onTheSameConnections([host, guest], async () => {
      await host.choose(redHarbour);
      await seesHue(guest.stream, 'red');
      await seesFrames(guest.stream);
      await host.choose(silentSea);
      await seesHue(guest.stream, 'motley');
      await seesFrames(guest.stream);
      await host.pause();
      await guest.reads(/\bPaused\b/);
    });
    const late = await people.guest(host);
    await seesHue(late.stream, 'motley', 5_000);
  });
}

test('a browser that can do neither says so before anyone is invited', async ({ people }) => {
  const host = await people.arrive();
  await host.page.addInitScript(() => {
    Reflect.deleteProperty(HTMLMediaElement.prototype, 'captureStream');
    Reflect.deleteProperty(HTMLCanvasElement.prototype, 'captureStream');
  });
  await host.createSession();
  await host.reads(/This browser cannot stream a file\./);
});
