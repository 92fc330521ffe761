import { expect, type Page } from '@playwright/test';

/** One candidate pair of the page's newest peer connection, as its browser counts. */
export interface Pair {
  local: string;
  remote: string;
  relay: boolean;
  /** How the browser reaches its relay: `udp`, `tcp` or `tls`. */
  relayProtocol?: string;
  /** The TURN server's address. */
  relayUrl?: string;
  selected: boolean;
  /** The relayed ports on the path, of either end. */
  relayPorts: number[];
  /** Payload alone: what media and its keys took, without connectivity checks. */
  bytesSent: number;
  bytesReceived: number;
  packetsSent: number;
  packetsReceived: number;
  requestsSent: number;
  responsesSent: number;
  roundTripMs: number;
}

/** Every pair of the newest peer connection that is still alive. */
export function pairs(page: Page): Promise<Pair[]> {
  return page.evaluate(async () => {
    const peer = window.instruments.living().at(-1);
    if (!peer) return [];
    const report = [...((await peer.getStats()) as unknown as Map<string, any>).values()];
    const named = report.find((stat) => stat.type === 'transport')?.selectedCandidatePairId as string | undefined;
    const candidate = (id: string) => report.find((stat) => stat.id === id);
    const kind = (id: string) => candidate(id)?.candidateType as string | undefined;
    return report
      .filter((stat) => stat.type === 'candidate-pair')
      .map((pair) => ({
        local: kind(pair.localCandidateId) ?? 'gone',
        remote: kind(pair.remoteCandidateId) ?? 'gone',
        relay: kind(pair.localCandidateId) === 'relay',
        relayProtocol: candidate(pair.localCandidateId)?.relayProtocol as string | undefined,
        relayUrl: candidate(pair.localCandidateId)?.url as string | undefined,
        selected: pair.id === named,
        // The other end's relay may look like any address from here: its port tells.
        relayPorts: [pair.localCandidateId, pair.remoteCandidateId]
          .filter((id) => ['relay', 'prflx', undefined].includes(kind(id)))
          .map((id) => candidate(id)?.port as number),
        bytesSent: pair.bytesSent,
        bytesReceived: pair.bytesReceived,
        packetsSent: pair.packetsSent,
        packetsReceived: pair.packetsReceived,
        requestsSent: pair.requestsSent,
        responsesSent: pair.responsesSent,
        roundTripMs: (pair.currentRoundTripTime ?? 0) * 1_000,
      }));
  });
}

/** Bytes at a moment of the page's clock, in ms. */
export interface Bytes {
  bytes: number;
  at: number;
}

/** What came in of sound or picture over the newest connection, headers not counted. */
export function received(page: Page, kind: 'audio' | 'video'): Promise<Bytes> {
  return page.evaluate(async (kind) => {
    const peer = window.instruments.living().at(-1)!;
    const report = [...((await peer.getStats()) as unknown as Map<string, any>).values()];
    const stream = report.find((stat) => stat.type === 'inbound-rtp' && stat.kind === kind);
    return { bytes: stream?.bytesReceived ?? 0, at: stream?.timestamp ?? performance.timeOrigin + performance.now() };
  }, kind);
}

/** What went out over each connection that is open, whatever it was, in the order in which they were built. */
export function sent(page: Page): Promise<Bytes[]> {
  return page.evaluate(async () => {
    const all: Bytes[] = [];
    for (const peer of window.instruments.living()) {
      if (peer.connectionState !== 'connected') continue;
      const report = [...((await peer.getStats()) as unknown as Map<string, any>).values()];
      const transport = report.find((stat) => stat.type === 'transport');
      all.push({ bytes: transport.bytesSent, at: transport.timestamp });
    }
    return all;
  });
}

/** What the page names its side of ICE by, connection by connection, in the order in which they were built; another one after each restart. */
export function fragments(page: Page): Promise<(string | undefined)[]> {
  return page.evaluate(() =>
    window.instruments.living().map((peer) => /a=ice-ufrag:(\S+)/.exec(peer.localDescription?.sdp ?? '')?.[1]),
  );
}

/** Sees to it that the pair in use runs over a relay of this end's. */
export async function isRelayed(page: Page): Promise<void> {
  const inUse = (await pairs(page)).find(({ selected }) => selected);
  expect(inUse?.local, 'this end of the pair in use').toBe('relay');
}

/**
 * Whether the film runs over a relay of this end's, told by what passes there within a second: either end may name another pair as the
 * one in use.
 */
export async function runsOverOwnRelay(page: Page): Promise<boolean> {
  const passed = async () => (await pairs(page)).reduce((sum, { relay, bytesSent, bytesReceived }) => sum + (relay ? bytesSent + bytesReceived : 0), 0);
  const before = await passed();
  await page.waitForTimeout(1_000);
  return (await passed()) > before + 30_000;
}

/** How a page sends its picture. */
export interface Sending {
  contentHint: string;
  degradationPreference: string | undefined;
  maxBitrate: number | undefined;
  /** As `video/VP8`; nothing before the first packet. */
  codec: string | undefined;
}

/** Over its newest connection. */
export function sending(page: Page): Promise<Sending> {
  return page.evaluate(async () => {
    const peer = window.instruments.living().at(-1)!;
    const sender = peer.getSenders().find(({ track }) => track?.kind === 'video')!;
    const parameters = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string };
    const report = [...((await sender.getStats()) as unknown as Map<string, any>).values()];
    const stream = report.find((stat) => stat.type === 'outbound-rtp');
    return {
      contentHint: sender.track!.contentHint,
      degradationPreference: parameters.degradationPreference,
      maxBitrate: parameters.encodings[0]?.maxBitrate,
      codec: report.find((stat) => stat.id === stream?.codecId)?.mimeType as string | undefined,
    };
  });
}
