import { nightTrain } from '../harness/film';
import { expect, relayed, test as base } from '../harness/test';
import type { Person } from '../harness/people';
import { Tessro } from '../harness/tessro';
import { gaps, seesFrames, watchGaps } from '../harness/watching';

const limit = 20_000_000;
const usedUp = /relay.*(used up|limit)|(used up|limit).*relay/i;

/** One guest whose network lets only a relay through, one who reaches the host directly. */
async function evening(people: Parameters<Parameters<typeof base>[2]>[0]['people']): Promise<{ host: Person; relayed: Person; direct: Person }> {
  const host = await people.host({ name: 'Ada' });
  const relayed = await people.guest(host, { name: 'Bob' });
  const direct = await people.guest(host, { name: 'Cem' });
  await relayed.hideMyAddress();
  await host.choose(nightTrain);
  for (const guest of [relayed, direct]) await seesFrames(guest.stream);
  return { host, relayed, direct };
}

/** The film is shorter than the test. */
async function keepsRunning(host: Person): Promise<void> {
  if ((await host.ownVideo.evaluate((video: HTMLVideoElement) => video.currentTime)) > 12) await host.seek(1);
}

/** Keeps the film running until the budget is used up and the one whose picture it costs reads so. */
async function untilUsedUp(tessro: Tessro, host: Person, relayed: Person): Promise<void> {
  await expect
    .poll(
      async () => {
        await keepsRunning(host);
        const { bandwidthUsedBytes: used, bandwidthReservedBytes: promised } = await tessro.bandwidth();
        expect(used + promised, 'used and promised').toBeLessThanOrEqual(limit + 4_000_000);
        return usedUp.test(await relayed.page.locator('body').innerText());
      },
      { timeout: 240_000, intervals: [500] },
    )
    .toBe(true);
}

/** The relayed picture ends and says why, the direct one does not notice; without a hidden address it comes back directly. */
async function endsWell(tessro: Tessro, { host, relayed, direct }: { host: Person; relayed: Person; direct: Person }): Promise<number> {
  await watchGaps(direct.stream);
  await untilUsedUp(tessro, host, relayed);
  // What is still on its way is in the books after a while.
  let used = 0;
  await expect
    .poll(
      async () => {
        const before = used;
        await keepsRunning(host);
        used = (await tessro.bandwidth()).bandwidthUsedBytes;
        return used - before;
      },
      { timeout: 60_000, intervals: [5_000] },
    )
    .toBe(0);
  await keepsRunning(host);
  await seesFrames(direct.stream);
  const { longestMs } = await gaps(direct.stream);
  console.log(`  the longest gap of the direct guest: ${Math.round(longestMs)} ms`);
  expect(longestMs).toBeLessThan(1_500);

  await host.seek(1);
  await relayed.hideAddress.click();
  await seesFrames(relayed.stream, 15, 30_000);
  expect((await tessro.bandwidth()).bandwidthUsedBytes, 'and no relay carries anything of it').toBeLessThan(used + 20_000);
  return used;
}

function tell(what: string, used: number): void {
  const words = `${what}: ${used} bytes of ${limit}, ${used - limit} beyond`;
  base.info().annotations.push({ type: 'figure', description: words });
  console.log(`  ${words}`);
}

base.describe('the built-in relay', () => {
  base.use({
    environment: { TURN_RELAY: 'auto', TURN_RELAY_DEVELOPMENT: '1', TURN_RELAY_PORT: '0', MONTHLY_BANDWIDTH_LIMIT_GB: '0.02' },
  });
  base('relays what was promised and not a packet more', async ({ people, tessro }) => {
    base.setTimeout(400_000);
    const used = await endsWell(tessro, await evening(people));
    tell('built-in relay', used);
    expect(used).toBeLessThanOrEqual(limit + 65_536);
  });
});

relayed.describe('a relay of a provider', () => {
  relayed.use({ environment: { MONTHLY_BANDWIDTH_LIMIT_GB: '0.02' } });
  relayed('passes the limit by what runs until the pages have heard of it', async ({ people, tessro, coturn }) => {
    relayed.setTimeout(400_000);
    const used = await endsWell(tessro, await evening(people));
    tell('coturn, as counted', used);
    tell('coturn, as it says itself', coturn.sent);
    // Seven seconds of a film at 4 Mbit/s.
    expect(used).toBeLessThanOrEqual(limit + 7 * 500_000);
  });
});
