import { test as base, expect, type BrowserContextOptions, type TestInfo } from '@playwright/test';
import { Cloudflare } from './cloudflare';
import { Coturn } from './coturn';
import { attachPeople } from './evidence';
import type { Film } from './film';
import { Person, type Typed } from './people';
import { Tessro, type Environment } from './tessro';
import { seesFrames } from './watching';

/** Sends the people of a test to their browsers. */
export interface People {
  /** Somebody who has not opened anything yet. */
  arrive(options?: BrowserContextOptions): Promise<Person>;
  /** Somebody who created a session. */
  host(typed?: Typed, options?: BrowserContextOptions): Promise<Person>;
  /** Somebody who joined by the host's link. */
  guest(host: Person, typed?: Typed, options?: BrowserContextOptions): Promise<Person>;
  /** Ada streams the film, and Bob sees it. */
  watching(film: Film): Promise<{ host: Person; guest: Person }>;
}

interface Fixtures {
  /** Settings of the server, beside those that every test has. */
  environment: Environment;
  /** Where a test asks for it: a real relay. */
  coturn: Coturn;
  /** The stand-in that mints credentials for `coturn`. */
  cloudflare: Cloudflare;
  /** The product. A server of its own for every test: rate limits and usage start at nothing. */
  tessro: Tessro;
  people: People;
  /** False in tests that make a page fail. */
  faultless: boolean;
}

/** Lends a test its server, keeps the log where the test fails, and puts the server away. */
async function lend(tessro: Tessro, use: (tessro: Tessro) => Promise<void>, info: TestInfo): Promise<void> {
  await use(tessro);
  if (info.status !== info.expectedStatus) await info.attach('server log', { body: tessro.log.join('\n') });
  await tessro.dispose();
}

export const test = base.extend<Fixtures>({
  environment: [{}, { option: true }],
  faultless: [true, { option: true }],

  // Playwright reads what a fixture needs from the first parameter, also where that is nothing.
  // eslint-disable-next-line no-empty-pattern
  coturn: async ({}, use, info) => {
    const coturn = await Coturn.start();
    await use(coturn);
    if (info.status !== info.expectedStatus) await info.attach('coturn log', { body: coturn.log });
    await coturn.stop();
  },

  cloudflare: async ({ coturn }, use) => {
    const cloudflare = await Cloudflare.start(coturn.relay);
    await use(cloudflare);
    await cloudflare.stop();
  },

  tessro: async ({ environment }, use, info) => {
    await lend(await Tessro.start(environment), use, info);
  },

  people: async ({ browser, tessro, faultless }, use, info) => {
    const all: Person[] = [];
    const arrive = async (options?: BrowserContextOptions) => {
      const person = await Person.arrive(browser, tessro.origin, options);
      all.push(person);
      return person;
    };
    const host = async (typed?: Typed, options?: BrowserContextOptions) => {
      const person = await arrive(options);
      await person.createSession(typed);
      return person;
    };
    const guest = async ({ invite }: Person, typed?: Typed, options?: BrowserContextOptions) => {
      const person = await arrive(options);
      await person.joinByLink(invite, typed);
      return person;
    };
    const watching = async (film: Film) => {
      const ada = await host({ name: 'Ada' });
      const bob = await guest(ada, { name: 'Bob' });
      await ada.choose(film);
      await seesFrames(bob.stream);
      return { host: ada, guest: bob };
    };
    await use({ arrive, host, guest, watching });
    const failed = info.status !== info.expectedStatus;
    if (failed) await attachPeople(info, all);
    for (const { context } of all) await context.close();
    if (!failed && faultless) expect(all.flatMap((person) => person.faults), 'faults on the console').toEqual([]);
  },
});

/** The product with a relay to be had: Cloudflare's stand-in mints for a real coturn. */
export const relayed = test.extend({
  tessro: async ({ environment, cloudflare }, use, info) => {
    await lend(await Tessro.start({ ...cloudflare.environment, ...environment }), use, info);
  },
});

export { expect };
