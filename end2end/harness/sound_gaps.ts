import type { Locator } from '@playwright/test';

/**
 * Listens to the element's stream from now on: when it was silent, and for how long. The
 * film has to sound all the time. Read by `soundGaps`.
 */
export function noteSilence(video: Locator): Promise<void> {
  return video.evaluate(async (element: HTMLVideoElement) => {
    const context = new AudioContext({ sampleRate: 48_000 });
    await context.resume();
    const program = `registerProcessor('silence', class extends AudioWorkletProcessor {
      constructor() { super(); this.run = 0; this.at = 0; this.heard = false; }
      process([input]) {
        // Down to single blocks of 128 samples: a frame of sound that is missing is 960.
        const loud = input[0] && input[0].some((sample) => Math.abs(sample) > 0.001);
        this.at += 128;
        if (loud) {
          if (this.heard && this.run > 0) this.port.postMessage({ at: this.at / 48, ms: this.run / 48 });
          this.run = 0;
          this.heard = true;
        } else this.run += 128;
        return true;
      }
    });`;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })));
    const node = new AudioWorkletNode(context, 'silence');
    const notes = { context, gaps: [] as { at: number; ms: number }[], begun: performance.now() };
    node.port.onmessage = ({ data }) => notes.gaps.push(data as { at: number; ms: number });
    context.createMediaStreamSource(element.srcObject as MediaStream).connect(node);
    node.connect(context.destination);
    Object.assign(element, { silence: notes });
  });
}

/** Every silence since `noteSilence`: when it ended, in ms since then, and how long it was. */
export function soundGaps(video: Locator): Promise<{ at: number; ms: number }[]> {
  return video.evaluate((element) => (element as HTMLVideoElement & { silence: { gaps: { at: number; ms: number }[] } }).silence.gaps);
}
