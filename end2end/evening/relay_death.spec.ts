import { apart } from '../harness/apart';
import { pairs } from '../harness/connection_stats';
import type { Coturn } from '../harness/coturn';
import { nightJourney } from '../harness/film';
import { atMost } from '../harness/figures';
import { expect } from '../harness/test';
import { noteFrames, pictureBack, seesFrames } from '../harness/watching';

// Two relays, no direct way; the one that carries the picture dies.
apart.use({ relayCount: 2, environment: { RATE_LIMIT_CREDENTIALS: '100000/1m' } });

for (const [what, end] of [
  ['killed', (relay: Coturn) => relay.kill()],
  ['stopped', (relay: Coturn) => relay.freeze()],
] as const) {
  for (const time of [1, 2, 3]) {
    apart(`the relay that carries the picture is ${what}, ${time} of 3`, async ({ apart: stage }) => {
      const { relays } = stage;
      const { host, guest } = await stage.pair();
      await host.choose(nightJourney);
      await seesFrames(guest.stream, 90, 20_000);
      const ports = (await pairs(guest.page)).filter(({ selected }) => selected).flatMap(({ relayPorts }) => relayPorts);
      const carrying = relays.find((relay) => ports.some((port) => relay.relays(port)));
      expect(carrying, `a relay on the path, whose ports are ${ports.join(' and ')}`).toBeDefined();
      await noteFrames(guest.stream);
      const died = Date.now();
      await end(carrying!);
      atMost(`relay ${what}, picture back, ${time} of 3`, await pictureBack(guest.stream, died), 5_000, 'ms');
      const over = (await pairs(guest.page)).filter(({ selected }) => selected).flatMap(({ relayPorts }) => relayPorts);
      expect(over.filter((port) => carrying!.relays(port)), 'still over the dead one').toEqual([]);
    });
  }
}
