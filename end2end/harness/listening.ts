import { expect, type Locator } from '@playwright/test';

/** Levels in dB below full scale of the two notes of Night Train, on each side. */
export interface Heard {
  left: { low: number; high: number };
  right: { low: number; high: number };
}

/** Listens to the element's stream for half a second: 440 Hz is `low`, 880 Hz is `high`. */
export function hear(video: Locator): Promise<Heard> {
  return video.evaluate(async (element: HTMLVideoElement) => {
    const context = new AudioContext();
    await context.resume();
    const source = context.createMediaStreamSource(element.srcObject as MediaStream);
    // A mono track is heard on both sides, as it is from loudspeakers.
    const both = new GainNode(context, { channelCount: 2, channelCountMode: 'explicit', channelInterpretation: 'speakers' });
    const sides = context.createChannelSplitter(2);
    source.connect(both).connect(sides);
    const analysers = [0, 1].map((side) => {
      const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
      sides.connect(analyser, side);
      return analyser;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const [left, right] = analysers.map((analyser) => {
      const levels = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(levels);
      const at = (hertz: number) => {
        const bin = Math.round((hertz * analyser.fftSize) / context.sampleRate);
        // Silence is -Infinity, which does not survive the way out of the page.
        return Math.max(-200, ...levels.slice(bin - 2, bin + 3));
      };
      return { low: at(440), high: at(880) };
    });
    await context.close();
    return { left: left!, right: right! };
  });
}

/** Waits until Night Train is heard as it is: the low note on the left and not on the right, the high note the other way round. */
export async function hearsStereo(video: Locator, timeout = 15_000): Promise<void> {
  let heard: Heard | undefined;
  await expect
    .poll(
      async () => {
        heard = await hear(video);
        return (
          heard.left.low > -50 &&
          heard.right.high > -50 &&
          heard.left.low - heard.right.low > 15 &&
          heard.right.high - heard.left.high > 15
        );
      },
      { message: 'the low note on the left alone, the high one on the right alone', timeout },
    )
    .toBe(true)
    .catch((error: Error) => {
      throw new Error(`${error.message}\nlast heard: ${JSON.stringify(heard)}`);
    });
}

/** Waits until the element lets out what is heard in its stream: `hear` listens before its volume. */
export async function isLoud(video: Locator): Promise<void> {
  await expect
    .poll(() => video.evaluate(({ muted, paused, volume }: HTMLVideoElement) => !muted && !paused && volume > 0), { message: 'sound is on' })
    .toBe(true);
}
