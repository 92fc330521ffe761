import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@playwright/test';
import { pairs } from '../harness/connection_stats';
import { attachPeople } from '../harness/evidence';
import { longEvening } from '../harness/film';
import type { Network } from '../harness/internet';
import { moments } from '../harness/moments';
import { kinds, reach } from '../harness/network_kinds';
import { crossed, type Ends } from '../harness/network_table';
import { networks as test, type Stage } from '../harness/networked';
import type { Person } from '../harness/people';
import { seesFrames } from '../harness/watching';

// A host in each network, and guests from each come one after another. Everyone sees the film: directly wherever the two
// networks allow it, elsewhere over the relay by what they let through.

/**
 * Browsers take the way that they find first, which may be the relay, and go over to the direct one. How long that may take, in
 * ms; what the relay may carry until then, in bytes, which is the film's first half second; and what afterwards: checks of its
 * addresses, and none of the film.
 */
const [goingOver, beginning, checks] = [5_000, 150_000, 2_000];

/** In ms. The relay says twice a second what it has carried. */
const told = 700;

for (const kind of kinds) {
  test(`host in: ${kind.name}`, async ({ stage }) => {
    const home = stage.network(kind, 'host');
    const host = await stage.arrive(home);
    try {
      await host.createSession({ name: 'Ada' });
      await host.choose(longEvening);
      for (const other of kinds) await meet(stage, host, home, stage.network(other, 'guest'));
      expect.soft(host.faults, 'faults on the console of the host').toEqual([]);
      for (const network of stage.internet.networks) if (network === home || network.side === 'guest') wentByTheProxy(stage, network);
    } finally {
      await stage.leave(home);
    }
  });
}

/** A guest comes, sees the film and goes. What is wrong with it is noted, and the next one comes all the same. */
async function meet(stage: Stage, host: Person, home: Network, place: Network): Promise<void> {
  const names = `host in ${home.kind.name}, guest in ${place.kind.name}`;
  const direct = reach(home.kind, place.kind);
  const guest = await stage.arrive(place);
  try {
    const before = await counted(host);
    await host.seek(1);
    await guest.joinByLink(host.invite, { name: 'Bob' });
    await seesFrames(guest.stream, 15, 20_000);
    const { pressed, first } = await moments(guest.page);
    const seconds = (first!.at - pressed!) / 1_000;
    const relay = await way(host, guest, direct);
    expect.soft(relay === undefined, `direct: ${names}`).toBe(direct);
    await sleep(told);
    const once = await counted(host);
    await seesFrames(guest.stream, 15, 20_000);
    await sleep(told);
    const afterwards = (await counted(host)) - once;
    if (direct) expect.soft(afterwards, `bytes relayed once it was direct: ${names}`).toBeLessThan(checks);
    else expect.soft(afterwards, `bytes relayed: ${names}`).toBeGreaterThan(checks);
    await guest.leave.click();
    await expect.poll(() => host.participants.getByRole('listitem').count(), { message: `Bob has left: ${names}` }).toBe(1);
    await sleep(told);
    const relayed = (await counted(host)) - before;
    if (direct) expect.soft(relayed, `bytes relayed altogether: ${names}`).toBeLessThan(beginning);
    crossed({ host: home.kind.name, guest: place.kind.name, relay, seconds, relayed });
    expect.soft(guest.faults, `faults on the console of the guest: ${names}`).toEqual([]);
  } catch (error) {
    await attachPeople(test.info(), [host, guest]);
    console.log(`  ${names}: ${String(error)}\n`, host.console.slice(-8), guest.console.slice(-8));
    expect.soft(String(error), names).toBe('the film');
  } finally {
    await guest.context.close();
  }
}

/** By what either end reaches the relay, once it is as it is expected or has had its time; nothing where neither does. */
async function way(host: Person, guest: Person, direct: boolean): Promise<Ends | undefined> {
  const end = async ({ page }: Person) => {
    const selected = (await pairs(page)).find((pair) => pair.selected);
    return selected?.local === 'relay' ? selected.relayProtocol! : '-';
  };
  for (const until = Date.now() + goingOver; ; await sleep(200)) {
    const ends = { host: await end(host), guest: await end(guest) };
    const none = ends.host === '-' && ends.guest === '-';
    if (none === direct || Date.now() > until) return none ? undefined : ends;
  }
}

/** What the server has counted as relayed so far, as far as the relay has told it. */
function counted({ page }: Person): Promise<number> {
  return page.evaluate(async () => {
    const answer = (await (await fetch('/api/bandwidth-status')).json()) as { bandwidthUsedBytes: number };
    return answer.bandwidthUsedBytes;
  });
}

/** Whoever is behind a proxy came to the relay through it, and by port 443 alone. */
function wentByTheProxy(stage: Stage, network: Network): void {
  if (network.kind.web !== 'proxy') return;
  const passed = stage.proxied(network).filter((line) => line.endsWith(' 200'));
  expect.soft(passed).toContain('CONNECT turn.example:443 200');
  expect.soft(passed.filter((line) => !line.includes(':443 '))).toEqual([]);
}
