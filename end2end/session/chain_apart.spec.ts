import { chromium as launcher, type Browser } from '@playwright/test';
import { chromium } from '../harness/chromium';
import { Cloudflare } from '../harness/cloudflare';
import { Coturn } from '../harness/coturn';
import { pairs } from '../harness/connection_stats';
import { nightTrain } from '../harness/film';
import { newestPolicy } from '../harness/instruments';
import { figureIsTheRelays, watchFor } from '../harness/metered';
import { Namespaces } from '../harness/namespaces';
import { Person } from '../harness/people';
import { expect, relayed, test } from '../harness/test';
import { Tessro } from '../harness/tessro';
import { seesFrames } from '../harness/watching';

// What is counted where nobody hides: with the direct way blocked, and with it open.

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
