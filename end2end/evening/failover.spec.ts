import { apart } from '../harness/apart';
import { pairs, runsOverOwnRelay } from '../harness/connection_stats';
import type { Coturn } from '../harness/coturn';
import { nightJourney } from '../harness/film';
import { atMost, written } from '../harness/figures';
import { moments, picture } from '../harness/moments';
import type { Person } from '../harness/people';
import { expect } from '../harness/test';
import { noteFrames, pictureBack, seesFrames } from '../harness/watching';

// Two providers with a relay each, no direct way: Cloudflare is asked first, coturn is the next.
apart.use({ relayCount: 2, relaysOf: 'two providers', environment: { RATE_LIMIT_CREDENTIALS: '100000/1m' } });

apart('the first provider begins to hang while people watch, and whoever comes then is let in', async ({ apart: stage }) => {
  const { host, guest } = await stage.pair();
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 30, 20_000);
  stage.cloudflare.fault = 'hang';
  for (const time of [1, 2, 3, 4, 5]) {
    const late = await stage.arrive(1);
    await late.joinByLink(host.invite, { name: `Late ${time}` });
    await seesFrames(late.stream, 1, 20_000);
    const { at } = await picture(late.page, 20_000);
    const { pressed } = await moments(late.page);
    atMost(`the first provider hangs: join to picture, ${time} of 5`, at - pressed!, 2_000, 'ms');
    expect(late.console.join('\n')).toContain('[WebRTC] Successfully fetched coturn TURN credentials');
    await late.context.close();
  }
  await seesFrames(guest.stream);
  expect(guest.console.join('\n'), 'whoever watched goes on with what they have').not.toContain('coturn');
});

for (const [what, end] of [
  ['killed', (relay: Coturn) => relay.kill()],
  ['stopped', (relay: Coturn) => relay.freeze()],
] as const) {
  for (const time of [1, 2, 3]) {
    apart(`the first provider's relay is ${what} while people watch, ${time} of 3`, async ({ apart: stage }) => {
      const [first, next] = stage.relays;
      const { host, guest } = await stage.pair();
      await host.choose(nightJourney);
      await seesFrames(guest.stream, 90, 20_000);
      // Whose relay the film comes over, the host's or the guest's, is for ICE to choose; both pages say that it is one.
      for (const { badge } of [host, guest]) await expect(badge).toContainText('Relayed');
      await noteFrames(guest.stream);
      const died = Date.now();
      await end(first!);
      atMost(`the relay in use ${what}, picture back over the next provider's, ${time} of 3`, await pictureBack(guest.stream, died), 5_000, 'ms');
      const over = (await pairs(guest.page)).filter(({ selected }) => selected).flatMap(({ relayPorts }) => relayPorts);
      expect(over.some((port) => next!.relays(port)), `over the next one: ${over.join(' and ')}`).toBe(true);
      for (const { badge } of [host, guest]) {
        await expect(badge).toContainText('Relayed');
        await expect(badge).not.toContainText('Cloudflare');
      }
      const owners: Person[] = [];
      for (const person of [host, guest]) if (await runsOverOwnRelay(person.page)) owners.push(person);
      expect(owners.length, 'ends whose own relay it is').toBeGreaterThan(0);
      for (const { badge } of owners) await expect(badge).toContainText('Relayed by coturn');
    });
  }
}

apart.describe('two providers handed out together', () => {
  apart.use({ environment: { RATE_LIMIT_CREDENTIALS: '100000/1m', TURN_PROVIDERS_TOGETHER: '2' } });

  apart('the relay that carries the picture is killed, and the other one has it back without new credentials', async ({ apart: stage }) => {
    const { relays, cloudflare } = stage;
    const { host, guest } = await stage.pair();
    await host.choose(nightJourney);
    await seesFrames(guest.stream, 90, 20_000);
    for (const { page } of [host, guest]) {
      const offered = await page.evaluate(() => (window.instruments.configurations.at(-1)?.iceServers ?? []).flatMap(({ urls }) => urls));
      for (const { port } of relays) expect(offered).toContainEqual(expect.stringMatching(new RegExp(`^turn:.*:${port}\\b`)));
    }
    const ports = async () => (await pairs(guest.page)).filter(({ selected }) => selected).flatMap(({ relayPorts }) => relayPorts);
    const before = await ports();
    const carrying = relays.find((relay) => before.some((port) => relay.relays(port)));
    expect(carrying, `a relay on the path, whose ports are ${before.join(' and ')}`).toBeDefined();

    // From here on nobody is given any, whoever asks.
    let refused = 0;
    for (const { page } of [host, guest]) {
      await page.route(/\/api\/(turn-credentials|ice-servers)/, async (route) => {
        refused += 1;
        await route.abort();
      });
    }
    const minted = cloudflare.requests;
    await noteFrames(guest.stream);
    const died = Date.now();
    await carrying!.kill();
    atMost('two providers together, relay killed, picture back over the other one', await pictureBack(guest.stream, died), 5_000, 'ms');
    const over = await ports();
    expect(over.filter((port) => carrying!.relays(port)), 'still over the dead one').toEqual([]);
    expect(over.some((port) => relays.some((relay) => relay !== carrying && relay.relays(port))), `over the other one: ${over.join(' and ')}`).toBe(true);
    expect(cloudflare.requests, 'credentials minted meanwhile').toBe(minted);
    written('two providers together, relay killed, calls for credentials that were refused', String(refused));
    for (const { badge } of [host, guest]) await expect(badge).toContainText('Relayed');
  });
});
