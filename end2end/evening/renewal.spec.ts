import { setTimeout as sleep } from 'node:timers/promises';
import { apart, type Apart } from '../harness/apart';
import { nightJourney } from '../harness/film';
import { atLeast, atMost, written } from '../harness/figures';
import type { Person } from '../harness/people';
import { expect } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

const life = 40;
/** Ten renewals, well before each lapses. */
const seconds = 260;

async function relayedPair(stage: Apart): Promise<{ host: Person; guest: Person }> {
  const people = await stage.pair();
  for (const person of [people.host, people.guest]) await person.hideMyAddress();
  await people.host.choose(nightJourney);
  await seesFrames(people.guest.stream, 150, 30_000);
  return people;
}

/** Watches for `seconds`, doing something every second: the longest time without a frame. */
async function watch(guest: Person, everySecond: () => Promise<void> = async () => {}): Promise<number> {
  await noteFrames(guest.stream);
  const end = Date.now() + seconds * 1_000;
  while (Date.now() < end) {
    await everySecond();
    await sleep(1_000);
  }
  return longestGap(await frameTimes(guest.stream));
}

// In one process, one after the other: what the first measures the second is held against. Both take equally long.
apart.describe.serial('relayed for minutes', () => {
  let quiet: number | undefined;

  apart('as long without a renewal, to compare with', async ({ apart: stage }) => {
    const { guest } = await relayedPair(stage);
    quiet = await watch(guest);
    written(`longest gap in ${seconds} quiet seconds, relayed`, `${quiet.toFixed(0)} ms`);
    expect(quiet).toBeGreaterThan(0);
    expect(quiet).toBeLessThan(5_000);
  });

  apart.describe('credentials that live for 40 s', () => {
    apart.use({ environment: { TURN_CREDENTIAL_TTL: String(life), RATE_LIMIT_CREDENTIALS: '100000/1m' } });

    apart('are renewed ten times while relayed, and the picture does not notice', async ({ apart: stage }) => {
      const before = quiet;
      if (before === undefined) throw new Error('the quiet seconds were not measured: run both tests of this file');
      const [relay, { host, guest }] = [stage.relays[0]!, await relayedPair(stage)];
      const cancelled: string[] = [];
      const longest = await watch(guest, async () => {
        const now = Date.now() / 1_000;
        for (const { session, username, ended } of relay.allocations) {
          if (ended || cancelled.includes(session) || Number(username.split(':')[0]) > now) continue;
          // Expired: whoever still sends over it goes dark.
          cancelled.push(session);
          await relay.cancel(session);
        }
      });
      atMost('longest gap, ten renewals', longest, before + 100, 'ms');
      for (const person of [guest, host]) await person.leave.click();
      await relay.everythingEnded();
      for (const [who, address] of [['host', '10.77.1.2'], ['guest', '10.77.2.2']] as const) {
        const all = relay.allocations.filter(({ client }) => client.startsWith(`${address}:`));
        const generations = new Map<string, number>();
        for (const { username, sent, received } of all) {
          generations.set(username, (generations.get(username) ?? 0) + sent + received);
        }
        const carried = [...generations.values()];
        atLeast(`user names of the ${who} in the relay's log`, carried.length, 11, '');
        // Every one of them had its turn: a second of the film is more than this.
        atLeast(`generations of the ${who} that carried the film`, carried.filter((bytes) => bytes > 200_000).length, 11, '');
      }
      await expect.poll(async () => (await stage.tessro.bandwidth()).activeConnections).toBe(0);
      const { bandwidthUsedBytes: used } = await stage.tessro.bandwidth();
      atMost('bytes counted against bytes relayed, renewals', (Math.abs(used - relay.sent) / relay.sent) * 100, 2, '%');
    });
  });
});
