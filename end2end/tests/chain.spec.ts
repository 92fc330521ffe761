import { nightTrain } from '../harness/film';
import { newestPolicy } from '../harness/instruments';
import { figureIsTheRelays, watchFor } from '../harness/metered';
import { connectInSilence } from '../harness/raw_guests';
import { Tessro } from '../harness/tessro';
import { expect, relayed, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

// Nothing is pretended here but the paid API: the credentials are real ones, for a real relay.

relayed('both hide their address: what was counted is what the relay sent', async ({ people, tessro, coturn, cloudflare }) => {
  test.setTimeout(120_000);
  const host = await people.host({ name: 'Ada' });
  const guest = await people.guest(host, { name: 'Bob' });
  for (const person of [host, guest]) await person.hideMyAddress();
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
  for (const person of [host, guest]) expect(await newestPolicy(person.page)).toBe('relay');
  expect(cloudflare.mints.length).toBeGreaterThanOrEqual(2);

  await watchFor(host, guest);
  // While it runs the figure is there already, late by one report and by what the relay has not told yet.
  expect((await tessro.bandwidth()).activeConnections).toBe(1);
  expect((await tessro.bandwidth()).bandwidthUsedBytes).toBeGreaterThan(1_000_000);
  await figureIsTheRelays(tessro, coturn, host, guest);
});

relayed('a page that goes away tells its last counters on the way out', async ({ people, tessro }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  for (const person of [host, guest]) await person.hideMyAddress();
  await host.choose(nightTrain);
  await seesFrames(guest.stream, 60);
  // Just after a report, so that the next would be seconds away.
  const used = async () => (await tessro.bandwidth()).bandwidthUsedBytes;
  const reported = await used();
  await expect.poll(used, { timeout: 15_000, intervals: [100] }).toBeGreaterThan(reported + 100_000);
  await guest.page.waitForTimeout(2_500);
  const before = await used();
  await guest.page.goto('about:blank');
  await expect.poll(used, { timeout: 2_000, intervals: [100] }).toBeGreaterThan(before + 100_000);
});

for (const [what, end] of [
  ['a power cut', (tessro: Tessro) => tessro.kill()],
  ['SIGTERM', (tessro: Tessro) => tessro.stop()],
] as const) {
  relayed(`${what} in the middle of a relayed film takes nothing away from what was counted`, async ({ people, tessro }) => {
    const host = await people.host();
    const guest = await people.guest(host);
    for (const person of [host, guest]) await person.hideMyAddress();
    await host.choose(nightTrain);
    await seesFrames(guest.stream);
    const used = async () => (await tessro.bandwidth()).bandwidthUsedBytes;
    await expect.poll(used, { timeout: 20_000, intervals: [100] }).toBeGreaterThan(1_000_000);
    const read = await used();
    await end(tessro);
    await tessro.startAgain();
    expect(await used()).toBeGreaterThanOrEqual(read);
  });
}

relayed('a connection of which nobody ever told is estimated', async ({ people, tessro }) => {
  // The product's origin, and none of its scripts; what is no page of ours may open no socket by its policy.
  const strangers = await people.arrive({ bypassCSP: true });
  await strangers.page.goto('/health');
  await connectInSilence(strangers.page, 2_000);
  await tessro.logs(
    /\[Bandwidth\] Connection [0-9a-f]{16} closed\. Estimated usage: \d+\.\d{4} GB\. Total this month: \d+\.\d\d GB/,
  );
  const { bandwidthEstimatedBytes: estimated, bandwidthUsedBytes: used } = await tessro.bandwidth();
  expect(estimated).toBeGreaterThan(0);
  expect(used).toBe(estimated);
});
