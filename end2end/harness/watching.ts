import { setTimeout as sleep } from 'node:timers/promises';
import { expect, type Locator } from '@playwright/test';

/** How many frames the element has shown. */
export function frames(video: Locator): Promise<number> {
  return video.evaluate((element: HTMLVideoElement) => element.getVideoPlaybackQuality().totalVideoFrames);
}

/** Waits until this many further frames were shown: a picture that moves, not one that stands. */
export async function seesFrames(video: Locator, further = 15, timeout = 15_000): Promise<void> {
  let last = await frames(video);
  let shown = 0;
  await expect
    .poll(
      async () => {
        const now = await frames(video);
        // A new connection brings a new stream, and the browser counts from 0 again.
        shown += now >= last ? now - last : now;
        last = now;
        return shown;
      },
      { message: 'further frames shown', timeout, intervals: [100] },
    )
    .toBeGreaterThanOrEqual(further);
}

/** The mean colour of what the element shows. */
export function colour(video: Locator): Promise<{ red: number; green: number; blue: number }> {
  return video.evaluate((element: HTMLVideoElement) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 16;
    const context = canvas.getContext('2d')!;
    context.drawImage(element, 0, 0, 16, 16);
    const { data } = context.getImageData(0, 0, 16, 16);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c += 1) sum[c]! += data[i + c]!;
    const [red, green, blue] = sum.map((total) => Math.round(total / 256));
    return { red: red!, green: green!, blue: blue! };
  });
}

/** How much of the picture changes within 700 ms, in grey levels a pixel: nothing where a film stands, though frames go on. */
export function motion(video: Locator): Promise<number> {
  return video.evaluate(async (element: HTMLVideoElement) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    const look = () => {
      context.drawImage(element, 0, 0, 64, 64);
      return context.getImageData(0, 0, 64, 64).data;
    };
    const before = look();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const after = look();
    return before.reduce((sum, value, i) => sum + Math.abs(value - after[i]!), 0) / before.length;
  });
}

type Hue = 'red' | 'green' | 'motley';

/** Which of the films' pictures this is: Red Harbour is red, Three Seconds green, Night Train of all colours. */
export async function hue(video: Locator): Promise<Hue | 'nothing'> {
  const { red, green, blue } = await colour(video);
  if (red + green + blue < 20) return 'nothing';
  if (red > 140 && green < 90 && blue < 90) return 'red';
  if (green > 110 && red < 90 && blue < 110) return 'green';
  return 'motley';
}

export async function seesHue(video: Locator, wanted: Hue, timeout = 10_000): Promise<void> {
  await expect.poll(() => hue(video), { message: 'the picture', timeout, intervals: [100] }).toBe(wanted);
}

/** Notes from now on when frames come, in the page itself. */
export function watchGaps(video: Locator): Promise<void> {
  return video.evaluate((element: HTMLVideoElement) => {
    const notes = { last: performance.now(), longest: 0, frames: 0 };
    Object.assign(element, { notes });
    const note = (now: number) => {
      notes.longest = Math.max(notes.longest, now - notes.last);
      notes.last = now;
      notes.frames += 1;
      element.requestVideoFrameCallback(note);
    };
    element.requestVideoFrameCallback(note);
  });
}

/** The longest time without a frame since `watchGaps`, the time since the last one included. */
export function gaps(video: Locator): Promise<{ longestMs: number; frames: number }> {
  return video.evaluate((element) => {
    const { notes } = element as HTMLVideoElement & { notes: { last: number; longest: number; frames: number } };
    return { longestMs: Math.max(notes.longest, performance.now() - notes.last), frames: notes.frames };
  });
}

/** Marks the element, so that `isMarked` tells whether it is the very same one later. */
export function mark(video: Locator): Promise<void> {
  return video.evaluate((element) => {
    Object.assign(element, { marked: true });
  });
}

export function isMarked(video: Locator): Promise<boolean> {
  return video.evaluate((element) => 'marked' in element);
}

/** When the element first shows a picture of this hue from now on, as the clock that all pages share. */
export function whenHue(video: Locator, wanted: 'red' | 'motley'): Promise<number> {
  return video.evaluate(
    (element: HTMLVideoElement, wanted) =>
      new Promise<number>((resolve) => {
        const canvas = document.createElement('canvas');
        canvas.width = canvas.height = 8;
        const context = canvas.getContext('2d', { willReadFrequently: true })!;
        const look = (now: number) => {
          context.drawImage(element, 0, 0, 8, 8);
          const { data } = context.getImageData(0, 0, 8, 8);
          const mean = (channel: number) => data.reduce((sum, value, i) => sum + (i % 4 === channel ? value : 0), 0) / 64;
          const red = mean(0) > 140 && mean(1) < 90 && mean(2) < 90;
          if (red === (wanted === 'red') && mean(0) + mean(1) + mean(2) > 60) resolve(performance.timeOrigin + now);
          else element.requestVideoFrameCallback(look);
        };
        element.requestVideoFrameCallback(look);
      }),
    wanted,
  );
}

/** When each frame from now on is shown, as the clock that all pages share; read by `frameTimes`. */
export function noteFrames(video: Locator): Promise<void> {
  return video.evaluate((element: HTMLVideoElement) => {
    const times: number[] = [];
    // A later call takes the place of the one before.
    Object.assign(element, { frameTimes: times });
    const note = (now: number) => {
      if ((element as HTMLVideoElement & { frameTimes?: number[] }).frameTimes !== times) return;
      times.push(performance.timeOrigin + now);
      element.requestVideoFrameCallback(note);
    };
    element.requestVideoFrameCallback(note);
  });
}

/** As `noteFrames`, to 50 ms and at a cost that does not show: the page is looked at and not asked of each frame. */
export function countFrames(video: Locator): Promise<void> {
  return video.evaluate((element: HTMLVideoElement) => {
    const times: number[] = [];
    Object.assign(element, { frameTimes: times });
    let last = element.getVideoPlaybackQuality().totalVideoFrames;
    setInterval(() => {
      const now = element.getVideoPlaybackQuality().totalVideoFrames;
      for (; last < now; last += 1) times.push(performance.timeOrigin + performance.now());
    }, 50);
  });
}

/** Every frame since `noteFrames` or `countFrames`. */
export function frameTimes(video: Locator): Promise<number[]> {
  return video.evaluate((element) => (element as HTMLVideoElement & { frameTimes?: number[] }).frameTimes ?? []);
}

/** The longest time between two frames that follow each other, within a span where one is given. */
export function longestGap(times: number[], from = -Infinity, to = Infinity): number {
  const within = [...(from > -Infinity ? [from] : []), ...times.filter((at) => at >= from && at <= to), ...(to < Infinity ? [to] : [])];
  return Math.max(0, ...within.slice(1).map((at, place) => at - within[place]!));
}

/** The longest time without a frame in so many seconds, from now on, while something is done. */
export async function longestGapWithin(video: Locator, seconds: number, act: () => Promise<void> = async () => {}): Promise<number> {
  await noteFrames(video);
  const begun = await video.evaluate(() => performance.timeOrigin + performance.now());
  await act();
  await sleep(Math.max(0, begun + seconds * 1_000 - Date.now()));
  return longestGap(await frameTimes(video), begun, begun + seconds * 1_000);
}

/**
 * Watches for seven seconds at least, and until frames come steadily: how long after `since` the last interruption of more
 * than half a second ended. Zero: there was none.
 */
export async function pictureBack(video: Locator, since: number, timeout = 60_000): Promise<number> {
  let back = Number.NaN;
  await expect
    .poll(
      async () => {
        const all = await frameTimes(video);
        // An interruption that was there already counts with its end.
        const times = [all.findLast((at) => at <= since) ?? since, ...all.filter((at) => at > since)];
        back = 0;
        for (const [place, at] of times.entries()) if (place > 0 && at - times[place - 1]! > 500) back = at - since;
        const now = await video.evaluate(() => performance.timeOrigin + performance.now());
        if (now - since < 7_000 || since + back > now - 1_500) return 0;
        return times.filter((at) => at > now - 1_500).length;
      },
      { message: 'frames in the last second and a half', timeout, intervals: [250] },
    )
    .toBeGreaterThanOrEqual(15);
  return back;
}
