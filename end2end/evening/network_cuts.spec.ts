import { setTimeout as sleep } from 'node:timers/promises';
import { apart } from '../harness/apart';
import { nightJourney } from '../harness/film';
import { atMost, percentile, written } from '../harness/figures';
import type { Place } from '../harness/namespaces';
import { expect } from '../harness/test';
import { longestGap, frameTimes, noteFrames, pictureBack, seesFrames } from '../harness/watching';

const cutMs = 10_000;
const times = 5;

apart.use({ direct: 'open', environment: { RATE_LIMIT_CREDENTIALS: '100000/1m' } });

for (const [what, cut, mend] of [
  ['every packet is lost', 'lose', 'find'],
  ['the cable is pulled and the new one has another address', 'disconnect', 'connect'],
] as const) {
  for (const [who, place] of [['guest', 1], ['host', 0]] as const) {
    apart(`${what} at the ${who} for 10 s`, async ({ apart: stage }) => {
      const { namespaces } = stage;
      const { host, guest } = await stage.pair();
      await host.choose(nightJourney);
      await seesFrames(guest.stream, 60);
      const took: number[] = [];
      for (let time = 0; time < times; time += 1) {
        await noteFrames(guest.stream);
        namespaces[cut](place as Place);
        const begun = Date.now();
        await sleep(cutMs);
        namespaces[mend](place as Place);
        const mended = Date.now();
        took.push(await pictureBack(guest.stream, mended));
        expect(longestGap(await frameTimes(guest.stream), begun, mended), 'the cut was one').toBeGreaterThan(cutMs - 2_500);
        // Quiet again before the next one.
        await seesFrames(guest.stream, 150, 20_000);
      }
      const name = `${cut === 'lose' ? 'packets lost' : 'new address'} at the ${who} for 10 s, picture back`;
      written(`${name}, median of ${times}`, `${percentile(took, 0.5).toFixed(0)} ms`);
      atMost(`${name}, 95 % of ${times}`, percentile(took, 0.95), 5_000, 'ms');
      for (const person of [host, guest]) await expect(person.participants.getByRole('listitem')).toHaveCount(2);
    });
  }
}
