import { apart } from '../harness/apart';
import { pairs } from '../harness/connection_stats';
import { nightJourney } from '../harness/film';
import { atMost } from '../harness/figures';
import { expect } from '../harness/test';
import { seesFrames } from '../harness/watching';

apart('two people whose firewalls take nothing but what comes from the door of the relay', async ({ apart: stage }) => {
  for (const place of [0, 1] as const) stage.namespaces.blockAllButTheDoorOf(stage.relays[0]!.port, place);
  const { host, guest } = await stage.pair();
  const begun = Date.now();
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 15, 30_000);
  atMost('own relay at both ends, film picked to fifteen frames', Date.now() - begun, 5_000, 'ms');
  for (const { page } of [host, guest]) {
    const selected = (await pairs(page)).find((pair) => pair.selected);
    expect([selected?.local, selected?.remote]).toEqual(['relay', expect.stringMatching(/relay|prflx/)]);
  }
});
