import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { apart as base, type Apart } from '../harness/apart';
import { fragments, pairs } from '../harness/connection_stats';
import { nightJourney } from '../harness/film';
import { atMost, written } from '../harness/figures';
import { Namespaces } from '../harness/namespaces';
import { hasOnly } from '../harness/offered';
import type { Person } from '../harness/people';
import { RelayPorts, together, type Passed, type Way } from '../harness/relay_ports';
import { expect } from '../harness/test';
import { seesFrames } from '../harness/watching';

// What is counted, held against what passed: a minute of film with an ICE restart, a reload and a killed tab in it.
//
// The built-in relay's meter counts what it passes on, without wrapping, both ways: what a client sends to peers, and what peers
// send to the client. The one leaves by a relayed port and the other by the door, the port where browsers come in. So what nft sees
// leave by both is what the meter has to have counted, less 28 bytes a packet for IP and UDP and less what TURN wraps data in at
// the door. (Not what comes in: an allocation that ends leaves unread what has come for it, and nobody relays what comes after.)
// One end has no relay here: two allocations of this relay would hand over to each other inside of it, past every port.

/** In each of the four quarters of a minute. */
const quarter = 15_000;

const apart = base.extend<{ ports: RelayPorts }>({
  ports: async ({ apart: { namespaces } }, use) => use(new RelayPorts(namespaces)),
});

const builtIn = {
  TURN_PROVIDERS: 'relay',
  TURN_RELAY_PUBLIC_ADDRESS: Namespaces.publicAddress,
  // Where the people of the test are.
  TURN_RELAY_ALLOWED_PEERS: '10.77.0.0/16',
};

/** So that every byte of a client passes a port that is counted. */
const overUdp = /^stun:|transport=udp$/;

/** Of the newest connection. */
const fragment = async (page: Page) => (await fragments(page)).at(-1);

/** How the guest is: what is offered to them, and whether they hide their address. */
interface Guest {
  only?: RegExp;
  hides: boolean;
}

async function guestOf(stage: Apart, host: Person, name: string, { only, hides }: Guest): Promise<Person> {
  const guest = await stage.arrive(1);
  if (only) await hasOnly(guest, only);
  await guest.joinByLink(host.invite, { name });
  if (hides) await guest.hideMyAddress();
  return guest;
}

/** A minute over a relay, with everything in it that moves counters elsewhere. */
async function minute(stage: Apart, host: Person, as: Guest): Promise<void> {
  const guest = await guestOf(stage, host, 'Bob', as);
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 15, 30_000);
  await sleep(quarter);

  const before = await fragment(guest.page);
  await guest.page.evaluate(() => dispatchEvent(new Event('online')));
  await expect.poll(() => fragment(guest.page), { message: 'ICE is restarted' }).not.toBe(before);
  await sleep(quarter);

  await guest.page.reload();
  await seesFrames(guest.stream, 15, 30_000);
  await sleep(quarter);

  // As the system does it when memory is short: the page says no last word.
  const killed = guest.page.waitForEvent('crash');
  const session = await guest.context.newCDPSession(guest.page);
  void session.send('Page.crash').catch(() => {});
  await killed;
  const next = await guestOf(stage, host, 'Cem', as);
  await seesFrames(next.stream, 15, 30_000);
  await sleep(quarter);
  await seesFrames(next.stream);
  const inUse = (await pairs(next.page)).find(({ selected }) => selected);
  expect([inUse?.local, inUse?.remote], 'the pair in use').toContain('relay');
  await next.leave.click();
  await host.leave.click();
}

/** Waits until nothing passes any more and everything is in the books: what the relay itself says there. */
async function metered({ tessro }: Apart, ports: RelayPorts): Promise<number> {
  const now = async () => [(await tessro.books()).voices.get('relay') ?? 0, JSON.stringify(ports.passed)] as const;
  let last: Awaited<ReturnType<typeof now>> = [0, ''];
  await expect
    .poll(
      async () => {
        const before = last;
        await sleep(3_000);
        last = await now();
        return before.join() === last.join();
      },
      { message: 'nothing passes any more', timeout: 60_000 },
    )
    .toBe(true);
  return last[0];
}

const data = ({ media, checks }: Way) => together(media, checks);
const say = ({ packets, bytes }: Passed) => `${bytes} bytes in ${packets} packets`;

/** What the meter says is what left, but for what the relay's sockets or the line had no room for. */
function isWhatLeft(what: string, meter: number, ports: RelayPorts): void {
  const { fromClients, toClients, fromPeers, toPeers } = ports.passed;
  const left = together(data(toClients), data(toPeers));
  written(`${what}, the relay's meter`, `${meter} bytes`);
  written(`${what}, nft at its ports`, say(left));
  written(`${what}, of that checks`, say(together(toClients.checks, toPeers.checks)));
  written(`${what}, beside that to and from the relay itself`, say(together(fromClients.control, toClients.control)));
  const came = together(data(fromClients), data(fromPeers));
  written(`${what}, came and was not relayed, its allocation ending`, `${came.bytes - left.bytes} bytes`);
  written(`${what}, came after that`, say(fromPeers.late));
  expect(meter, 'a minute of film').toBeGreaterThan(10_000_000);
  atMost(`${what}, meter and ports differ by`, Math.abs(meter - left.bytes), ports.dropped * 1_500, 'bytes');
}

apart.describe('the built-in relay', () => {
  apart.use({ environment: builtIn });

  for (const [what, hides] of [['relayed', true], ['direct blocked and nobody hides', false]] as const) {
    apart(`a minute, ${what}: its meter is what passed its ports, to the byte`, async ({ apart: stage, ports }) => {
      apart.setTimeout(240_000);
      const host = await stage.arrive(0);
      await hasOnly(host, /^stun:/);
      await host.createSession({ name: 'Ada' });
      await minute(stage, host, { only: overUdp, hides });
      isWhatLeft(`built-in, ${what}`, await metered(stage, ports), ports);
      expect(hides || stage.namespaces.dropped > 0, 'packets that went straight were dropped').toBe(true);
    });
  }

  apart.describe('and a direct way', () => {
    apart.use({ direct: 'open' });
    apart('a minute of direct film: no byte of it passes the relay, and what else does is little', async ({ apart: stage, ports }) => {
      apart.setTimeout(240_000);
      const people = [await stage.arrive(0), await stage.arrive(1)] as const;
      for (const person of people) await hasOnly(person, overUdp);
      const [host, guest] = people;
      await host.createSession({ name: 'Ada' });
      await guest.joinByLink(host.invite, { name: 'Bob' });
      await host.choose(nightJourney);
      await seesFrames(guest.stream, 15, 30_000);
      await sleep(4 * quarter);
      await seesFrames(guest.stream);
      await guest.leave.click();
      await host.leave.click();
      written("built-in, direct, the relay's meter", `${await metered(stage, ports)} bytes, all of them checks`);
      const { fromClients, toClients, fromPeers, toPeers } = ports.passed;
      const film = together(fromClients.media, toClients.media, fromPeers.media, toPeers.media);
      atMost('built-in, direct, film over the relay', film.bytes, 0, 'bytes');
      const [checks, control] = [together(fromClients.checks, toClients.checks), together(fromClients.control, toClients.control)];
      written('built-in, direct, checks at its door', say(checks));
      written('built-in, direct, to and from the relay itself', say(control));
      expect(control.packets, 'both asked the relay').toBeGreaterThan(3);
      atMost('built-in, direct, both together', checks.bytes + control.bytes, 64_000, 'bytes');
    });
  });
});

apart.describe('coturn, whose own count is not asked for', () => {
  /** The larger of both browsers at each end, against what coturn sent to browsers, which is what Cloudflare bills. */
  async function equalsCoturn(what: string, { tessro, relays }: Apart): Promise<void> {
    const relay = relays[0]!;
    // What the killed tab had would live on for ten minutes.
    await sleep(2_000);
    for (const { session, ended } of relay.allocations) if (!ended) await relay.cancel(session);
    await relay.everythingEnded();
    let used = 0;
    await expect
      .poll(
        async () => {
          const before = used;
          await sleep(5_000);
          used = (await tessro.bandwidth()).bandwidthUsedBytes;
          return used - before;
        },
        { timeout: 60_000 },
      )
      .toBe(0);
    const { voices } = await tessro.books();
    written(`${what}, coturn sent to browsers`, `${relay.sent} bytes`);
    written(`${what}, counted`, `${used} bytes`);
    for (const voice of ['browser', 'other_end']) written(`${what}, of that said by ${voice}`, `${voices.get(voice) ?? 0} bytes`);
    expect(relay.sent, 'a minute of film').toBeGreaterThan(10_000_000);
    expect((await tessro.bandwidth()).bandwidthEstimatedBytes, 'estimated, where all was measured').toBe(0);
    atMost(`${what}, counted and sent differ by`, (Math.abs(used - relay.sent) / relay.sent) * 100, 1, '%');
  }

  for (const [what, hides] of [['relayed', true], ['direct blocked and nobody hides', false]] as const) {
    apart(`a minute, ${what}: what the browsers say is what it sent, within 1 %`, async ({ apart: stage }) => {
      apart.setTimeout(240_000);
      // Else ICE may choose the host's relay alone, over which the film goes out for nothing and answers alone are billed.
      if (!hides) stage.namespaces.blockAllButTheDoorOf(stage.relays[0]!.port, 1);
      const host = await stage.arrive(0);
      await host.createSession({ name: 'Ada' });
      await minute(stage, host, { hides });
      await equalsCoturn(`coturn, ${what}`, stage);
      expect(hides || stage.namespaces.dropped > 0, 'packets that went straight were dropped').toBe(true);
    });
  }
});
