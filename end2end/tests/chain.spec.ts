import { chromium as launcher, type Browser } from '@playwright/test';
import { chromium } from '../harness/chromium';
import { Cloudflare } from '../harness/cloudflare';
import { Coturn } from '../harness/coturn';
import { pairs } from '../harness/connection_stats';
import { nightTrain } from '../harness/film';
import { newestPolicy } from '../harness/instruments';
import { Namespaces } from '../harness/namespaces';
import { Person } from '../harness/people';
import { connectInSilence } from '../harness/raw_guests';
import { expect, relayed, test } from '../harness/test';
import { Tessro } from '../harness/tessro';
import { seesFrames } from '../harness/watching';

// Nothing is pretended here but the paid API: the credentials are real ones, for a real relay.

const seconds = 20;

/** The film runs for `seconds` from now, and the guest sees frames throughout. */
async function watchFor(host: Person, guest: Person): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  await expect
    .poll(
      async () => {
        await seesFrames(guest.stream, 5);
        // The film is hardly longer than the test: it starts over before it ends.
        if ((await host.ownVideo.evaluate((video: HTMLVideoElement) => video.currentTime)) > 15) await host.seek(1);
        return Date.now() > end;
      },
      { timeout: (seconds + 15) * 1_000, intervals: [500] },
    )
    .toBe(true);
}

/** Both leave; what was counted is what the relay sent to them, and a power cut changes nothing about it. */
async function figureIsTheRelays(tessro: Tessro, coturn: Coturn, host: Person, guest: Person): Promise<void> {
  await guest.leave.click();
  await host.leave.click();
  await coturn.everythingEnded();
  await tessro.logs(/\[Bandwidth\] Connection .+ closed\. Measured usage: \d+\.\d+ GB\. Total this month: \d+\.\d+ GB/);
  await expect.poll(async () => (await tessro.bandwidth()).activeConnections).toBe(0);

  const { sent } = coturn;
  expect(sent * 8, 'bits a second by the relay').toBeGreaterThan(1_000_000 * seconds);
  const { bandwidthUsedBytes: used, bandwidthEstimatedBytes: estimated } = await tessro.bandwidth();
  const off = `counted ${used}, the relay sent ${sent}: ${(((used - sent) / sent) * 100).toFixed(2)} %`;
  test.info().annotations.push({ type: 'figure', description: off });
  console.log(`  ${off}`);
  expect(Math.abs(used - sent) / sent, off).toBeLessThan(0.02);
  expect(estimated, 'estimated, where all was measured').toBe(0);

  await tessro.kill();
  await tessro.startAgain();
  expect((await tessro.bandwidth()).bandwidthUsedBytes).toBe(used);
}

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

test('direct UDP is blocked and nobody hides: the relay takes over, and what was counted is what it sent', async () => {
  test.setTimeout(120_000);
  const namespaces = Namespaces.make();
  // What was started is ended, last first, however far the test came.
  const endings: (() => Promise<void> | void)[] = [() => namespaces.remove()];
  try {
    const { house, address } = Namespaces;
    const coturn = await Coturn.start({ address, namespace: house });
    endings.push(() => coturn.stop());
    // Otherwise ICE may choose the host's relay alone, over which the film goes out for nothing and answers alone are billed.
    namespaces.blockAllButTheDoorOf(coturn.port, 1);
    const cloudflare = await Cloudflare.start(coturn.relay, Namespaces.test);
    endings.push(() => cloudflare.stop());
    const tessro = await Tessro.start(cloudflare.environment, { address, namespace: house });
    endings.push(() => tessro.dispose());
    const browsers: Browser[] = [];
    for (const name of Namespaces.people) {
      const browser = await launcher.launch(chromium({ executablePath: namespaces.chromiumIn(name) }));
      endings.push(() => browser.close());
      browsers.push(browser);
    }
    const [host, guest] = [
      await Person.arrive(browsers[0]!, tessro.origin),
      await Person.arrive(browsers[1]!, tessro.origin),
    ];
    await host.createSession({ name: 'Ada' });
    await guest.joinByLink(host.invite, { name: 'Bob' });
    await host.choose(nightTrain);
    await seesFrames(guest.stream, 15, 20_000);
    for (const person of [host, guest]) expect(await newestPolicy(person.page)).toBe('all');

    await watchFor(host, guest);
    expect(namespaces.dropped, 'packets that went straight and were dropped').toBeGreaterThan(0);
    await figureIsTheRelays(tessro, coturn, host, guest);
    expect([...host.faults, ...guest.faults]).toEqual([]);
  } finally {
    for (const end of endings.reverse()) await end();
  }
});

relayed('a direct connection relays no media at all, with a relay to be had', async ({ people, tessro, coturn }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(nightTrain);
  await seesFrames(guest.stream, 240, 20_000);
  for (const { page } of [host, guest]) {
    const all = await pairs(page);
    const carrying = all.filter(({ packetsSent, packetsReceived }) => packetsSent + packetsReceived > 0);
    expect(carrying.filter(({ relay }) => relay), 'pairs over a relay that carried a packet').toEqual([]);
    const carried = carrying.reduce((sum, { bytesSent, bytesReceived }) => sum + bytesSent + bytesReceived, 0);
    expect(carried, 'bytes over direct pairs: the film').toBeGreaterThan(1_000_000);
  }
  await guest.leave.click();
  await host.leave.click();
  await expect.poll(async () => (await tessro.bandwidth()).activeConnections).toBe(0);
  await coturn.everythingEnded();
  expect((await tessro.bandwidth()).bandwidthUsedBytes).toBe(0);
  // The browsers did ask the relay for addresses and checked them: that, and not three packets of the film.
  expect(coturn.allocations.length).toBeGreaterThan(0);
  for (const { sent, received } of coturn.allocations) expect(Math.max(sent, received)).toBeLessThan(3_000);
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
  const strangers = await people.arrive();
  // The product's origin, and none of its scripts.
  await strangers.page.goto('/health');
  await connectInSilence(strangers.page, 2_000);
  await tessro.logs(
    /\[Bandwidth\] Connection [0-9a-f]{16} closed\. Estimated usage: \d+\.\d{4} GB\. Total this month: \d+\.\d\d GB/,
  );
  const { bandwidthEstimatedBytes: estimated, bandwidthUsedBytes: used } = await tessro.bandwidth();
  expect(estimated).toBeGreaterThan(0);
  expect(used).toBe(estimated);
});
