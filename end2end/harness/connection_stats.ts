import type { Page } from '@playwright/test';

/** One candidate pair of the page's newest peer connection, as its browser counts. */
export interface Pair {
  local: string;
  remote: string;
  relay: boolean;
  selected: boolean;
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
    const peer = window.instruments.peers.map((weak) => weak.deref()).filter((one) => one && one.connectionState !== 'closed').at(-1);
    if (!peer) return [];
    const report = [...((await peer.getStats()) as unknown as Map<string, any>).values()];
    const named = report.find((stat) => stat.type === 'transport')?.selectedCandidatePairId as string | undefined;
    const kind = (id: string) => report.find((stat) => stat.id === id)?.candidateType as string | undefined;
    return report
      .filter((stat) => stat.type === 'candidate-pair')
      .map((pair) => ({
        local: kind(pair.localCandidateId) ?? 'gone',
        remote: kind(pair.remoteCandidateId) ?? 'gone',
        relay: kind(pair.localCandidateId) === 'relay',
        selected: pair.id === named,
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
