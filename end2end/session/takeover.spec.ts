import type { Environment } from '../harness/tessro';
import { apart } from '../harness/apart';
import { nightJourney } from '../harness/film';
import { atLeast, atMost, written } from '../harness/figures';
import { Namespaces } from '../harness/namespaces';
import { expect } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

// A provider has relayed what it may while somebody watches over it: the next one takes over, and nobody presses anything.

const limit = 10_000_000;
/** Seven seconds of a film at 8 Mbit/s, as docs/costs.md has it: a page reports every 5 s and is gone within 2 s. */
const runsOn = 7_000_000;

const first: Record<string, { title: string; environment: Environment; most: number }> = {
  cloudflare: { title: 'Cloudflare', environment: {}, most: limit + runsOn },
  relay: {
    title: 'Built-in relay',
    environment: {
      TURN_PROVIDERS: 'relay,coturn',
      TURN_RELAY_PUBLIC_ADDRESS: Namespaces.publicAddress,
      TURN_RELAY_ALLOWED_PEERS: '10.77.0.0/16',
    },
    most: limit + 65_536,
  },
};

for (const [name, { title, environment, most }] of Object.entries(first)) {
  apart.describe(title, () => {
    apart.use({
      relayCount: 2,
      relaysOf: 'two providers',
      environment: { RATE_LIMIT_CREDENTIALS: '100000/1m', PROVIDER_BANDWIDTH_LIMITS_GB: `${name}=${limit / 1e9}`, ...environment },
    });

    apart('has relayed its part while somebody watches: coturn goes on with the film, and lets in whoever comes', async ({ apart: stage }) => {
      apart.setTimeout(180_000);
      const next = stage.relays[1]!;
      const { host, guest } = await stage.pair();
      await guest.hideMyAddress();
      await host.choose(nightJourney);
      await seesFrames(guest.stream, 30, 20_000);
      await expect(guest.badge).toContainText(`Relayed by ${title}`);
      expect(next.sent, 'nothing over the next one yet').toBe(0);

      await noteFrames(guest.stream);
      await expect(guest.badge).toContainText('Relayed by coturn', { timeout: 90_000 });
      await seesFrames(guest.stream, 150, 20_000);
      written(`${title} is used up, longest gap at the guest`, `${longestGap(await frameTimes(guest.stream)).toFixed(0)} ms`);
      await guest.doesNotRead(/used up|limit reached/i);

      const late = await stage.arrive(1);
      await late.joinByLink(host.invite, { name: 'Cem' });
      await late.hideMyAddress();
      await seesFrames(late.stream, 15, 20_000);
      await expect(late.badge).toContainText('Relayed by coturn');

      for (const person of [late, guest, host]) await person.leave.click();
      await next.everythingEnded();
      const { providers } = await stage.tessro.books();
      atMost(`${title} is used up, over it`, providers.get(name) ?? 0, most, 'bytes');
      atLeast(`${title} is used up, over it`, providers.get(name) ?? 0, limit * 0.8, 'bytes');
      atLeast('over the next provider', providers.get('coturn') ?? 0, 3_000_000, 'bytes');
    });
  });
}
