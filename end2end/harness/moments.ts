import type { Page } from '@playwright/test';

/** When what people wait for happened in a page, noted from inside it. Times are those of the clock that all pages share. */
export interface Moments {
  /** When this document began to be loaded. */
  begun: number;
  /** The last press on anything. */
  pressed?: number;
  /** The last choice of a file, when its input heard of it. */
  picked?: number;
  /** The first frame of the page's video, and how large it was. */
  first?: { at: number; width: number; height: number };
  /** The first frame that was not black. */
  picture?: { at: number; width: number; height: number };
}

declare global {
  interface Window {
    moments: Moments;
  }
}

/** Runs in the page, first of all. */
export function noteMoments(): void {
  const clock = (now = performance.now()) => performance.timeOrigin + now;
  const moments: Moments = { begun: clock(0) };
  window.moments = moments;
  addEventListener('click', () => (moments.pressed = clock()), { capture: true });
  const note = ({ target }: Event) => {
    if (target instanceof HTMLInputElement && target.type === 'file') moments.picked = clock();
  };
  addEventListener('change', note, { capture: true });
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 4;
  const isBlack = (video: HTMLVideoElement) => {
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.drawImage(video, 0, 0, 4, 4);
    const { data } = context.getImageData(0, 0, 4, 4);
    return data.every((value, place) => place % 4 === 3 || value < 24);
  };
  const watched = new WeakSet<HTMLVideoElement>();
  const watch = (video: HTMLVideoElement) => {
    if (watched.has(video) || moments.picture) return;
    watched.add(video);
    const note = (now: number, { width, height }: VideoFrameCallbackMetadata) => {
      const seen = { at: clock(now), width, height };
      moments.first ??= seen;
      if (!moments.picture && !isBlack(video)) moments.picture = seen;
      // Not a frame longer than needed: a page that is asked of each frame spends half as much again on it.
      if (moments.picture) watched.delete(video);
      else video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  };
  const watchAll = () => document.querySelectorAll('video').forEach(watch);
  new MutationObserver(watchAll).observe(document, { childList: true, subtree: true });
  addEventListener('forget frames', () => {
    delete moments.first;
    delete moments.picture;
    watchAll();
  });
}

export function moments(page: Page): Promise<Moments> {
  return page.evaluate(() => window.moments);
}

/** When a file was last picked in this page. */
export async function picked(page: Page): Promise<number> {
  return (await moments(page)).picked!;
}

/** From now on the next first frame counts, in the same document. */
export function forgetFrames(page: Page): Promise<void> {
  return page.evaluate(() => void dispatchEvent(new Event('forget frames')));
}

/** The first picture that is not black, once it is there. */
export async function picture(page: Page, timeout: number): Promise<NonNullable<Moments['picture']>> {
  const handle = await page.waitForFunction(() => window.moments?.picture, undefined, { timeout, polling: 50 });
  return (await handle.jsonValue())!;
}
