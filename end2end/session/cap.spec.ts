import { nightJourney } from '../harness/film';
import { atLeast, atMost } from '../harness/figures';
import type { Person } from '../harness/people';
import { expect, relayed, test as base, type People } from '../harness/test';
import type { Tessro } from '../harness/tessro';
import { frameTimes, longestGap, longestGapWithin, noteFrames, seesFrames } from '../harness/watching';

const limit = 20_000_000;
/** What runs until the pages have heard of it ("How the limit holds" in docs/costs.md): seven seconds of a film at 4 Mbit/s. */
const bound = 7 * 500_000;
const usedUp = /relay.*(used up|limit)|(used up|limit).*relay/i;

interface Evening {
  host: Person;
  relayed: Person;
  direct: Person;
}

/** One guest whose network lets only a relay through, one who reaches the host directly. Nobody moves the film, which would show. */
async function evening(people: People): Promise<Evening> {
  const host = await people.host({ name: 'Ada' });
  const relayed = await people.guest(host, { name: 'Bob' });
  const direct = await people.guest(host, { name: 'Cem' });
  await relayed.hideMyAddress();
  await host.choose(nightJourney);
  await seesFrames(relayed.stream);
  await seesFrames(direct.stream, 90);
  return { host, relayed, direct };
}

/** Whether a guest reads that the month is used up. */
async function reads(tessro: Tessro, guest: Person): Promise<boolean> {
  const { bandwidthUsedBytes: used, bandwidthReservedBytes: promised } = await tessro.bandwidth();
  expect(used + promised, 'used and promised').toBeLessThanOrEqual(limit + 4_000_000);
  return usedUp.test(await guest.page.locator('body').innerText());
}

/** Waits until the one whose picture it costs reads that the budget is used up. */
async function untilUsedUp(tessro: Tessro, guest: Person): Promise<void> {
  await expect.poll(() => reads(tessro, guest), { timeout: 240_000, intervals: [500] }).toBe(true);
}

/** Waits until nothing more comes into the books: what they hold then. */
async function untilCounted(tessro: Tessro): Promise<number> {
  let used = 0;
  await expect
    .poll(
      async () => {
        const before = used;
        used = (await tessro.bandwidth()).bandwidthUsedBytes;
        return used - before;
      },
      { timeout: 60_000, intervals: [5_000] },
    )
    .toBe(0);
  return used;
}

const clockOf = ({ page }: Person): Promise<number> => page.evaluate(() => performance.timeOrigin + performance.now());

/** The relayed picture ends and says why, the direct one does not notice; without a hidden address it comes back directly. */
async function endsWell(tessro: Tessro, { host, relayed, direct }: Evening): Promise<number> {
  await noteFrames(direct.stream);
  const begun = await clockOf(direct);
  await untilUsedUp(tessro, relayed);
  const used = await untilCounted(tessro);
  const ended = await clockOf(direct);
  const disturbed = longestGap(await frameTimes(direct.stream), begun, ended);

  // The film is long enough for either stretch, and begins anew between them.
  await host.seek(1);
  await relayed.hideAddress.click();
  await seesFrames(relayed.stream, 15, 30_000);
  await seesFrames(direct.stream, 150);
  // Two who watch, as before, and the test looks as often as it did.
  const seconds = (ended - begun) / 1_000;
  const quiet = await longestGapWithin(direct.stream, seconds, async () => {
    const end = Date.now() + seconds * 1_000;
    const looked = async () => {
      await reads(tessro, relayed);
      return Date.now() > end;
    };
    await expect.poll(looked, { timeout: (seconds + 30) * 1_000, intervals: [500] }).toBe(true);
  });
  atMost(`longest gap of the direct guest in ${Math.round(seconds)} s, against as long undisturbed`, disturbed, quiet + 100, 'ms');
  const after = (await tessro.bandwidth()).bandwidthUsedBytes;
  expect(after, 'and no relay carries anything of it').toBeLessThan(used + 20_000);
  return after;
}

base.describe('the built-in relay', () => {
  base.use({
    environment: { TURN_RELAY: 'auto', TURN_RELAY_DEVELOPMENT: '1', TURN_RELAY_PORT: '0', MONTHLY_BANDWIDTH_LIMIT_GB: '0.02' },
  });
  base('relays what was promised and not a packet more', async ({ people, tessro }) => {
    base.setTimeout(800_000);
    const used = await endsWell(tessro, await evening(people));
    atMost('built-in relay, bytes beyond the limit', used - limit, 65_536, 'bytes');
  });
});

relayed.describe('a relay of a provider', () => {
  relayed.use({ environment: { MONTHLY_BANDWIDTH_LIMIT_GB: '0.02' } });
  relayed('passes the limit by what runs until the pages have heard of it', async ({ people, tessro, coturn }) => {
    relayed.setTimeout(800_000);
    const watching = await evening(people);
    const used = await endsWell(tessro, watching);
    atMost('coturn, bytes beyond the limit as counted', used - limit, bound, 'bytes');
    // Its log is whole once every allocation has ended.
    for (const person of [watching.relayed, watching.direct, watching.host]) await person.leave.click();
    await coturn.everythingEnded();
    atLeast('coturn, bytes as it says itself', coturn.sent, limit / 2, 'bytes');
    atMost('coturn, bytes beyond the limit as it says itself', coturn.sent - limit, bound, 'bytes');
  });
});
