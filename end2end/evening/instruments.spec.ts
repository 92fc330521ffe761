import { nightTrain } from '../harness/film';
import { written } from '../harness/figures';
import { median } from '../harness/median';
import { Namespaces } from '../harness/namespaces';
import { nodeIn } from '../harness/node_in';
import { apart } from '../harness/apart';
import { expect, relayed } from '../harness/test';
import { frames, seesFrames } from '../harness/watching';

// What injects the faults is itself tried here.

interface Sent {
  host: string;
  bytes: number;
  perSecond: number;
  seconds: number;
}

/** Counts and echoes what arrives, until nothing did for two seconds. */
async function listen({ echo }: { echo: boolean }): Promise<{ packets: number; bytes: number; seconds: number }> {
  const socket = (require('node:dgram') as typeof import('node:dgram')).createSocket('udp4');
  let [packets, bytes, first, last] = [0, 0, 0, performance.now()];
  socket.on('message', (message, from) => {
    last = performance.now();
    first ||= last;
    packets += 1;
    bytes += message.length + 28;
    if (echo) socket.send(message, from.port, from.address);
  });
  socket.bind(4_000);
  const begun = performance.now();
  while (performance.now() - Math.max(last, begun + 2_000) < 2_000) await new Promise((resolve) => setTimeout(resolve, 100));
  return { packets, bytes, seconds: (last - first) / 1_000 };
}

/** Sends at an even pace: how many, and the time to each one's echo. */
async function send({ host, bytes, perSecond, seconds }: Sent): Promise<{ packets: number; roundTrips: number[] }> {
  const socket = (require('node:dgram') as typeof import('node:dgram')).createSocket('udp4');
  const roundTrips: number[] = [];
  socket.on('message', (message) => roundTrips.push(performance.now() - message.readDoubleLE(0)));
  const begun = performance.now();
  let packets = 0;
  while (performance.now() - begun < seconds * 1_000) {
    while (packets < ((performance.now() - begun) / 1_000) * perSecond) {
      const message = Buffer.alloc(bytes);
      message.writeDoubleLE(performance.now(), 0);
      socket.send(message, 4_000, host);
      packets += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await new Promise((resolve) => setTimeout(resolve, 600));
  return { packets, roundTrips };
}

apart('the narrow line is as narrow, as slow and as leaky as it says', async ({ apart: { namespaces } }) => {
  await namespaces.narrow(1, { bitsPerSecond: 3_000_000, delayMs: 80, lossPercent: 2, queueMs: 200 });
  const [house, guest] = [Namespaces.house, Namespaces.people[1]];

  const flood = nodeIn(guest, listen, { echo: false });
  await nodeIn(house, send, { host: '10.78.2.2', bytes: 1_172, perSecond: 600, seconds: 6 });
  const through = await flood;
  const rate = (through.bytes * 8) / through.seconds / 1e6;
  written('narrow line, what comes through of 5.8 Mbps', `${rate.toFixed(2)} Mbps`);
  // Of 3 Mbps one packet in fifty is lost on the way.
  expect(rate).toBeGreaterThan(2.75);
  expect(rate).toBeLessThan(3.05);

  const few = nodeIn(guest, listen, { echo: true });
  const { packets, roundTrips } = await nodeIn(house, send, { host: '10.78.2.2', bytes: 100, perSecond: 500, seconds: 8 });
  const lost = (1 - (await few).packets / packets) * 100;
  written('narrow line, lost one way of 4,000', `${lost.toFixed(2)} %`);
  written('narrow line, there and back', `${median(roundTrips).toFixed(1)} ms`);
  expect(lost).toBeGreaterThan(1.2);
  expect(lost).toBeLessThan(2.8);
  expect(median(roundTrips)).toBeGreaterThan(159);
  expect(median(roundTrips)).toBeLessThan(175);
});

relayed('an allocation that the relay is told to cancel carries nothing any more', async ({ people, coturn }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  for (const person of [host, guest]) await person.hideMyAddress();
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
  const living = coturn.allocations.filter(({ ended }) => !ended);
  expect(living.length).toBeGreaterThanOrEqual(2);
  for (const { session } of living) await coturn.cancel(session);
  expect(coturn.allocations.filter(({ ended, session }) => !ended && living.some((one) => one.session === session))).toEqual([]);
  const before = await frames(guest.stream);
  await guest.page.waitForTimeout(700);
  expect(await frames(guest.stream), 'frames without an allocation').toBeLessThan(before + 15);
});
