import { expect } from '@playwright/test';
import { pairs, type Pair } from '../harness/connection_stats';
import { longEvening } from '../harness/film';
import type { Network } from '../harness/internet';
import { moments } from '../harness/moments';
import { kinds, reach } from '../harness/network_kinds';
import { crossed } from '../harness/network_table';
import { networks as test, type Stage } from '../harness/networked';
import type { Person } from '../harness/people';
import { seesFrames } from '../harness/watching';

// A host in each network, and guests in each come one after another. Everyone sees the film, directly wherever the two NATs
// allow it, and over the relay by what the networks let through elsewhere.

/** What checks of the relay's addresses cost a pair that needs none of them. */
const checks = 20_000;

for (const kind of kinds) {
  test(`host in: ${kind.name}`, async ({ stage }) => {
    const home = stage.network(kind, 'host');
    const host = await stage.arrive(home);
    await host.createSession({ name: 'Ada' });
    await host.choose(longEvening);
    try {
      for (const other of kinds) await meet(stage, host, home, stage.network(other, 'guest'));
      expect(host.faults).toEqual([]);
      wentThroughTheProxy(stage, home);
    } finally {
      await stage.leave(home);
    }
  });
}

/** A guest comes, sees the film and goes. */
async function meet(stage: Stage, host: Person, home: Network, place: Network): Promise<void> {
  const names = `host in ${home.kind.name}, guest in ${place.kind.name}`;
  const before = await counted(host);
  const guest = await stage.arrive(place);
  await host.seek(1);
  await guest.joinByLink(host.invite, { name: 'Bob' });
  try {
    await seesFrames(guest.stream, 30, 30_000);
  } catch (error) {
    console.log(names, await pairs(host.page), await pairs(guest.page), host.console.slice(-30), guest.console.slice(-30));
    throw error;
  }
  const { pressed, first } = await moments(guest.page);
  const direct = reach(home.kind, place.kind);
  const ends = () => Promise.all([selected(host), selected(guest)]);
  await expect
    .poll(async () => (await ends()).every((end) => end?.local !== 'relay'), { message: `direct: ${names}` })
    .toBe(direct);
  const [there, here] = await ends();
  await guest.leave.click();
  await guest.context.close();
  await expect.poll(() => host.participants.getByRole('listitem').count()).toBe(1);
  // The relay says twice a second what it has carried.
  await host.page.waitForTimeout(1_100);
  const relayed = (await counted(host)) - before;
  const over = (end?: Pair) => (end?.local === 'relay' ? end.relayProtocol! : '-');
  crossed({
    host: home.kind.name,
    guest: place.kind.name,
    relay: direct ? undefined : { host: over(there), guest: over(here) },
    seconds: (first!.at - pressed!) / 1_000,
    relayed,
  });
  if (direct) expect.soft(relayed, `bytes relayed: ${names}`).toBeLessThan(checks);
  else expect.soft(relayed, `bytes relayed: ${names}`).toBeGreaterThan(checks);
}

async function selected({ page }: Person): Promise<Pair | undefined> {
  return (await pairs(page)).find((pair) => pair.selected);
}

/** What the server has counted as relayed so far. */
function counted({ page }: Person): Promise<number> {
  return page.evaluate(async () => {
    const answer = (await (await fetch('/api/bandwidth-status')).json()) as { bandwidthUsedBytes: number };
    return answer.bandwidthUsedBytes;
  });
}

/** What came from a network with a proxy asked it for the relay, and got nothing of it but port 443. */
function wentThroughTheProxy(stage: Stage, network: Network): void {
  if (network.kind.web !== 'proxy') return;
  expect(stage.proxied(network)).toContain('CONNECT turn.example:443 200');
  const passed = stage.proxied(network).filter((line) => line.endsWith(' 200'));
  expect(passed.filter((line) => !line.includes(':443 '))).toEqual([]);
}
