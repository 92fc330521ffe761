import { apart } from '../harness/apart';
import { pairs } from '../harness/connection_stats';
import type { Coturn } from '../harness/coturn';
import { nightJourney } from '../harness/film';
import { atMost } from '../harness/figures';
import { moments, picture } from '../harness/moments';
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
    });
  }
}
