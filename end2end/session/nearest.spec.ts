import { pairs } from '../harness/connection_stats';
import { nightTrain } from '../harness/film';
import { Forwarder } from '../harness/forwarder';
import type { Person } from '../harness/people';
import { expect, test as base } from '../harness/test';
import { seesFrames } from '../harness/watching';

// Two relays of a kind, the farther one first in the operator's order. Both ways lead to one coturn, and one of them is longer.

const test = base.extend<{ far: Forwarder; near: Forwarder }>({
  far: async ({ coturn }, use) => {
    const far = await Forwarder.start(coturn, 150);
    await use(far);
    await far.stop();
  },
  near: async ({ coturn }, use) => {
    const near = await Forwarder.start(coturn);
    await use(near);
    await near.stop();
  },
  environment: async ({ coturn, far, near }, use) => {
    const { secret } = coturn.relay;
    await use({
      TURN_PROVIDERS: 'coturn:a,coturn:b',
      COTURN_URLS_A: `turn:127.0.0.1:${far.port}?transport=udp`,
      COTURN_SHARED_SECRET_A: secret,
      COTURN_URLS_B: `turn:127.0.0.1:${near.port}?transport=udp`,
      COTURN_SHARED_SECRET_B: secret,
    });
  },
});

/** Opens the page: what it tells of round trips when it asks for credentials, and whose it is given. */
async function asks({ page }: Person, invite: string): Promise<{ told: string | undefined; provider: string }> {
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/api/turn-credentials');
  await page.goto(invite);
  const response = await answered;
  const { provider } = (await response.json()) as { provider: string };
  return { told: (await response.request().allHeaders())['tessro-round-trips'], provider };
}

test('of two relays of a kind a browser measures both, and whoever comes again is given the nearer one', async ({ people, near }) => {
  const host = await people.host({ name: 'Ada' });
  const first = await people.arrive();
  expect(await asks(first, host.invite), 'at first the order of the operator').toEqual({ told: undefined, provider: 'coturn:a' });
  const kept = () => first.page.evaluate(() => localStorage.getItem('tessro.round-trips') ?? '');
  await expect.poll(kept, { message: 'both are measured', timeout: 25_000 }).toMatch(/^\d+ coturn:a=\d+,coturn:b=\d+$/);

  // The same browser another time: it has what browsers remember, and nothing of that tab.
  const again = await people.arrive({ storageState: await first.context.storageState() });
  const { told, provider } = await asks(again, host.invite);
  expect(told).toMatch(/^coturn:a=\d+,coturn:b=\d+$/);
  const [a, b] = [...told!.matchAll(/=(\d+)/g)].map(([, millis]) => Number(millis));
  expect(a, `${told}: the longer way`).toBeGreaterThanOrEqual(250);
  expect(b, `${told}: the shorter way`).toBeLessThan(a!);
  expect(provider).toBe('coturn:b');

  await again.asksIn({ name: 'Bob' });
  await again.isInside();
  await again.hideMyAddress();
  await host.choose(nightTrain);
  await seesFrames(again.stream);
  const inUse = async () => (await pairs(again.page)).find(({ selected }) => selected);
  await expect.poll(async () => (await inUse())?.local).toBe('relay');
  expect((await inUse())?.relayUrl).toContain(`:${near.port}`);
  await expect(again.badge).toContainText('Relayed by coturn');
});
