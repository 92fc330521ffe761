import { setTimeout as sleep } from 'node:timers/promises';
import { apart } from '../harness/apart';
import { pairs } from '../harness/connection_stats';
import { nightJourney } from '../harness/film';
import { atLeast, atMost, written } from '../harness/figures';
import { expect } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

// A provider has relayed what it may while somebody watches over it: the next one takes over, and nobody presses anything.

const limit = 10_000_000;
/** As docs/costs.md has it, at 4 Mbit/s: a page reports every 5 s, and leaves within 2 s of being told. */
const runsOn = 7 * 500_000;

apart.use({
  relayCount: 2,
  relaysOf: 'two providers',
  environment: { RATE_LIMIT_CREDENTIALS: '100000/1m', PROVIDER_BANDWIDTH_LIMITS_GB: `cloudflare=${limit / 1e9}` },
});

apart('the first provider has relayed its part while somebody watches: the next one goes on, and lets in whoever comes', async ({ apart: stage }) => {
  apart.setTimeout(180_000);
  const [first, next] = [stage.relays[0]!, stage.relays[1]!];
  const { host, guest } = await stage.pair();
  await guest.hideMyAddress();
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 30, 20_000);
  await expect(guest.badge).toContainText('Relayed by Cloudflare');

  await noteFrames(guest.stream);
  const over = async () => (await pairs(guest.page)).filter(({ selected }) => selected).flatMap(({ relayPorts }) => relayPorts);
  expect((await over()).some((port) => first.relays(port)), 'over the first one').toBe(true);
  let reached = Number.NaN;
  await expect
    .poll(
      async () => {
        if (Number.isNaN(reached) && (await stage.tessro.bandwidth()).bandwidthUsedBytes >= limit) reached = Date.now();
        return (await over()).some((port) => next.relays(port));
      },
      { message: 'the picture comes over the next one', timeout: 120_000, intervals: [200] },
    )
    .toBe(true);
  written('a provider is used up, from its limit to the next one', `${((Date.now() - reached) / 1_000).toFixed(1)} s`);
  await sleep(5_000);
  await seesFrames(guest.stream, 60);
  await expect(guest.badge).toContainText('Relayed by coturn');
  atMost('a provider is used up, longest gap at the guest', longestGap(await frameTimes(guest.stream)), 2_000, 'ms');
  await guest.doesNotRead(/used up|limit reached/i);

  const late = await stage.arrive(1);
  await late.joinByLink(host.invite, { name: 'Cem' });
  await late.hideMyAddress();
  await seesFrames(late.stream, 15, 20_000);
  await expect(late.badge).toContainText('Relayed by coturn');
  for (const person of [late, guest, host]) await person.leave.click();
  for (const relay of [first, next]) await relay.everythingEnded();
  await expect.poll(async () => (await stage.tessro.bandwidth()).activeConnections).toBe(0);
  atLeast('a provider is used up, what it sent', first.sent, limit, 'bytes');
  atMost('a provider is used up, what it sent', first.sent, limit + runsOn, 'bytes');
  atLeast('the next one, what it sent', next.sent, 2_000_000, 'bytes');
  const { providers } = await stage.tessro.books();
  for (const [name, relay] of [['cloudflare', first], ['coturn', next]] as const) {
    written(`counted of ${name}, which sent ${relay.sent}`, `${providers.get(name) ?? 0} bytes`);
  }
});
