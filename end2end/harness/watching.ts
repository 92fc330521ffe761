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
