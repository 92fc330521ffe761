import { Cloudflare } from '../harness/cloudflare';
import { pairs } from '../harness/connection_stats';
import { Coturn } from '../harness/coturn';
import { nightTrain } from '../harness/film';
import { PaidApi, paidApis } from '../harness/paid_api';
import { expect, test as base } from '../harness/test';
import { Tessro, type Environment } from '../harness/tessro';
import { seesFrames } from '../harness/watching';

/** Somebody who mints credentials for the relay, and what Tessro is told about them. */
interface Minter {
  environment: Environment;
  stop(): Promise<void>;
}

const alone = (environment: Environment): Minter => ({ environment, stop: async () => {} });
const login = { username: 'cinema', credential: 'a-login-for-everybody' };

/** By the name in `TURN_PROVIDERS`: its title, and how it comes to be. */
const kinds: Record<string, { title: string; start(relay: Coturn): Promise<Minter> }> = {
  cloudflare: { title: 'Cloudflare', start: ({ relay }) => Cloudflare.start(relay) },
  ...Object.fromEntries(
    Object.entries(paidApis).map(([name, api]) => [name, { title: api.title, start: (relay: Coturn) => PaidApi.start(api, relay) }]),
  ),
  coturn: {
    title: 'coturn',
    start: async ({ relay: { urls, secret } }) => alone({ COTURN_URLS: urls.join(','), COTURN_SHARED_SECRET: secret }),
  },
  static: {
    title: 'Static',
    start: async ({ relay: { urls } }) =>
      alone({ STATIC_TURN_URLS: urls.join(','), STATIC_TURN_USERNAME: login.username, STATIC_TURN_CREDENTIAL: login.credential }),
  },
};

const test = base.extend<{ kind: string }>({
  kind: ['', { option: true }],
  coturn: async ({ kind }, use) => {
    const coturn = await Coturn.start(kind === 'static' ? { login } : {});
    await use(coturn);
    await coturn.stop();
  },
  tessro: async ({ kind, coturn }, use) => {
    const minter = await kinds[kind]!.start(coturn);
    const tessro = await Tessro.start(minter.environment);
    await use(tessro);
    await tessro.dispose();
    await minter.stop();
  },
});

for (const [kind, { title }] of Object.entries(kinds)) {
  test.describe(kind, () => {
    test.use({ kind });
    test('mints what host and guest stream through a relay with', async ({ people, tessro, coturn }) => {
      await tessro.logs(new RegExp(`✅ ${title} TURN service configured`));
      const answer = (await (await fetch(`${tessro.origin}/api/turn-credentials`)).json()) as { provider: string; degraded: boolean };
      expect([answer.provider, answer.degraded]).toEqual([kind, false]);
      const { host, guest } = await people.watching(nightTrain);
      for (const person of [host, guest]) {
        await person.hideMyAddress();
        expect(person.console.join('\n')).toContain(`[WebRTC] Successfully fetched ${title} TURN credentials`);
      }
      await seesFrames(guest.stream);
      for (const { page } of [host, guest]) {
        await expect.poll(async () => (await pairs(page)).find(({ selected }) => selected)?.relay).toBe(true);
      }
      for (const person of [host, guest]) {
        await expect(person.badge).toContainText(`Relayed by ${title}`);
      }
      expect(coturn.allocations.length).toBeGreaterThanOrEqual(2);
    });
  });
}
