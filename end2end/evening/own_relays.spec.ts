import { apart } from '../harness/apart';
import { pairs } from '../harness/connection_stats';
import { nightJourney } from '../harness/film';
import { atMost } from '../harness/figures';
import { Namespaces } from '../harness/namespaces';
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

apart.describe('the built-in relay on a server with a public address', () => {
  apart.use({ environment: { TURN_PROVIDERS: 'relay', TURN_RELAY_PUBLIC_ADDRESS: Namespaces.publicAddress } });
  apart('carries the film between two who hide their addresses, and reaches no private network', async ({ apart: stage }) => {
    await stage.tessro.logs(new RegExp(`The built-in relay is at ${Namespaces.publicAddress}: port 3478 over UDP and TCP`));
    const { host, guest } = await stage.pair();
    for (const person of [host, guest]) await person.hideMyAddress();
    const begun = Date.now();
    await host.choose(nightJourney);
    await seesFrames(guest.stream, 15, 30_000);
    atMost('built-in relay at both ends, film picked to fifteen frames', Date.now() - begun, 5_000, 'ms');
    for (const { page } of [host, guest]) {
      const found = await pairs(page);
      const selected = found.find((pair) => pair.selected);
      expect([selected?.local, selected?.remote]).toEqual(['relay', expect.stringMatching(/relay|prflx/)]);
      expect(selected?.relayUrl).toContain(Namespaces.publicAddress);
    }
    // Only one of them hides: the other's addresses are private ones, and whoever reaches those does not do so by this relay.
    await host.hideAddress.click();
    await seesFrames(guest.stream, 15, 30_000);
    const selected = (await pairs(guest.page)).find((pair) => pair.selected);
    expect([selected?.local, selected?.remote]).toEqual(['relay', expect.stringMatching(/relay|prflx/)]);
    expect(stage.relays[0]!.allocations, 'no other relay had a part in it').toEqual([]);
  });
});
