import { chromium as launcher, type Browser, type BrowserContextOptions } from '@playwright/test';
import { chromium } from './chromium';
import { Cloudflare } from './cloudflare';
import { Coturn } from './coturn';
import { attachPeople } from './evidence';
import { Namespaces, type Place } from './namespaces';
import { Person } from './people';
import { test as base } from './test';
import { Tessro, type Environment } from './tessro';

/** People on machines of their own: each in a network namespace, the server and the relays in a third. */
export class Apart {
  readonly everyone: Person[] = [];
  private readonly browsers: (Browser | undefined)[] = [];

  constructor(
    readonly namespaces: Namespaces,
    readonly relays: Coturn[],
    readonly cloudflare: Cloudflare,
    readonly tessro: Tessro,
  ) {}

  /** Somebody at the machine of that place who has not opened anything yet. */
  async arrive(place: Place, options?: BrowserContextOptions): Promise<Person> {
    const name = Namespaces.people[place];
    this.browsers[place] ??= await launcher.launch(
      chromium({
        autoplay: 'as people have it',
        executablePath: this.namespaces.chromiumIn(name),
        secure: this.tessro.origin,
      }),
    );
    const person = await Person.arrive(this.browsers[place], this.tessro.origin, options);
    this.everyone.push(person);
    return person;
  }

  /** A host at the first machine and a guest at the second, in a context with these options. */
  async pair(options?: BrowserContextOptions): Promise<{ host: Person; guest: Person }> {
    const [first, second] = [await this.arrive(0), await this.arrive(1, options)];
    await first.createSession({ name: 'Ada' });
    await second.joinByLink(first.invite, { name: 'Bob' });
    return { host: first, guest: second };
  }

  async close(): Promise<void> {
    for (const browser of this.browsers) await browser?.close();
  }
}

interface Fixtures {
  /** What the firewall between the two does with what goes straight. */
  direct: 'open' | 'dropped';
  /** How many relays there are to be had. */
  relayCount: number;
  /** Whose they are: all of them Cloudflare's, or the first alone, and the second coturn's. */
  relaysOf: 'one provider' | 'two providers';
  apart: Apart;
}

export const apart = base.extend<Fixtures>({
  direct: ['dropped', { option: true }],
  relayCount: [1, { option: true }],
  relaysOf: ['one provider', { option: true }],

  apart: async ({ direct, relayCount, relaysOf, environment }, use, info) => {
    const { house, address, test } = Namespaces;
    // What was started is ended, last first, however far it came.
    const endings: (() => Promise<void> | void)[] = [];
    try {
      const namespaces = Namespaces.make();
      endings.push(() => namespaces.remove());
      if (direct === 'open') namespaces.openDirect();
      const relays: Coturn[] = [];
      for (let number = 0; number < relayCount; number += 1) {
        const relay = await Coturn.start({ address, namespace: house, ports: 50_000 + number * 1_000 });
        endings.push(() => relay.stop());
        relays.push(relay);
      }
      const [theirs, own] = relaysOf === 'two providers' ? [relays.slice(0, 1), relays[1]] : [relays, undefined];
      const urls = theirs.flatMap(({ relay }) => (relayCount > 1 ? relay.urls.slice(0, 1) : relay.urls));
      const cloudflare = await Cloudflare.start({ urls, secret: Coturn.secret }, test);
      endings.push(() => cloudflare.stop());
      const coturn: Environment = own ? { COTURN_URLS: own.relay.urls[0]!, COTURN_SHARED_SECRET: own.relay.secret } : {};
      const settings: Environment = { ...cloudflare.environment, ...coturn, ...environment };
      const tessro = await Tessro.start(settings, { address, namespace: house });
      endings.push(() => tessro.dispose());
      const stage = new Apart(namespaces, relays, cloudflare, tessro);
      endings.push(() => stage.close());
      await use(stage);
      if (info.status !== info.expectedStatus) {
        await info.attach('server log', { body: tessro.log.join('\n') });
        for (const [number, relay] of relays.entries()) await info.attach(`coturn log ${number + 1}`, { body: relay.log });
        await attachPeople(info, stage.everyone);
      }
    } finally {
      for (const end of endings.reverse()) await end();
    }
  },
});
