import type { Page } from '@playwright/test';

/** What one page's connected peer connections send and receive, summed, by `getStats`. */
export interface Flow {
  at: number;
  bytesSent: number;
  bytesReceived: number;
  /** The pictures that arrive: how many frames, and how large the last one is. */
  framesDecoded: number;
  width: number;
  height: number;
  /** The pictures that are sent, a connection each. */
  sent: { frames: number; height: number; encodeSeconds: number; active: boolean }[];
}

/** Looks at every connection that is up. */
export function flow(page: Page): Promise<Flow> {
  return page.evaluate(async () => {
    const flow: Flow = { at: performance.now(), bytesSent: 0, bytesReceived: 0, framesDecoded: 0, width: 0, height: 0, sent: [] };
    for (const peer of window.instruments.living()) {
      if (peer.connectionState !== 'connected') continue;
      (await peer.getStats()).forEach((stat) => {
        if (stat.type === 'transport') {
          flow.bytesSent += stat.bytesSent;
          flow.bytesReceived += stat.bytesReceived;
        } else if (stat.type === 'inbound-rtp' && stat.kind === 'video') {
          flow.framesDecoded += stat.framesDecoded ?? 0;
          flow.width = stat.frameWidth ?? 0;
          flow.height = stat.frameHeight ?? 0;
        } else if (stat.type === 'outbound-rtp' && stat.kind === 'video') {
          flow.sent.push({
            frames: stat.framesEncoded ?? 0,
            height: stat.frameHeight ?? 0,
            encodeSeconds: stat.totalEncodeTime ?? 0,
            active: stat.active ?? true,
          });
        }
      });
    }
    return flow;
  });
}

/** Bits that a page receives in a second, over `seconds`. */
export async function receivedBits(page: Page, seconds: number): Promise<number> {
  const before = await flow(page);
  await page.waitForTimeout(seconds * 1000);
  const after = await flow(page);
  return ((after.bytesReceived - before.bytesReceived) * 8000) / (after.at - before.at);
}
