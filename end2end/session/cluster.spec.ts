import { setTimeout as sleep } from 'node:timers/promises';
import { Balancer } from '../harness/balancer';
import { nightJourney } from '../harness/film';
import { atMost, written } from '../harness/figures';
import { Person } from '../harness/people';
import { Redis } from '../harness/redis';
import { Tessro } from '../harness/tessro';
import { expect, test as base } from '../harness/test';
import { frameTimes, longestGap, noteFrames, seesFrames } from '../harness/watching';

// Three servers on one Redis behind a balancer, and people at all of them.

interface Servers {
  redis: Redis;
  all: Tessro[];
  balancer: Balancer;
}

const test = base.extend<{ servers: Servers }>({
  // eslint-disable-next-line no-empty-pattern
  servers: async ({}, use, info) => {
    const redis = await Redis.start();
    const all: Tessro[] = [];
    for (let i = 0; i < 3; i += 1) all.push(await Tessro.start({ REDIS_URL: redis.url }));
    const balancer = await Balancer.before(all.map(({ port }) => port));
    await use({ redis, all, balancer });
    if (info.status !== info.expectedStatus) {
      for (const [i, { log }] of all.entries()) await info.attach(`log of server ${i}`, { body: log.join('\n') });
    }
    await balancer.stop();
    for (const tessro of all) await tessro.dispose();
    await redis.stop();
  },
});

/** When the page was let in, each time. */
function welcomes({ page }: Person): number[] {
  const times: number[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      if (String(payload).startsWith('{"type":"welcome"')) times.push(Date.now());
    }),
  );
  return times;
}

test('the server of the host is killed, then Redis: no picture stops, and everybody is back within seconds', async ({ browser, servers }) => {
  test.setTimeout(180_000);
  const { redis, all, balancer } = servers;
  const [host, near, far] = [
    await Person.arrive(browser, balancer.origin),
    await Person.arrive(browser, balancer.origin),
    await Person.arrive(browser, balancer.origin),
  ];
  const welcomed = [host, near, far].map(welcomes);
  await host.createSession({ name: 'Ada' });
  balancer.first = 1;
  await near.joinByLink(host.invite, { name: 'Ben' });
  balancer.first = 2;
  await far.joinByLink(host.invite, { name: 'Cem' });
  await host.choose(nightJourney);
  for (const guest of [near, far]) await seesFrames(guest.stream, 60, 30_000);
  // As long as a heartbeat holds, and more.
  await sleep(3_000);

  for (const guest of [near, far]) await noteFrames(guest.stream);
  const killed = Date.now();
  await all[0]!.kill();
  for (const times of welcomed) await expect.poll(() => times.some((time) => time > killed), { timeout: 30_000, intervals: [50] }).toBe(true);
  const back = welcomed.map((times) => times.find((time) => time > killed)! - killed);
  await sleep(5_000);
  written('server killed, back after (host, guest, guest)', `${back.join(', ')} ms`);
  atMost('server killed, everybody back', Math.max(...back), 5_000, 'ms');
  for (const guest of [near, far]) {
    atMost('server killed, longest time without a frame', longestGap(await frameTimes(guest.stream)), 1_000, 'ms');
    await expect(guest.participants.getByRole('listitem')).toHaveCount(3);
  }
  await host.says('still here');
  for (const guest of [near, far]) await guest.reads(/still here/, 10_000);

  for (const guest of [near, far]) await noteFrames(guest.stream);
  await redis.kill();
  await sleep(10_000);
  await redis.startAgain();
  const again = Date.now();
  await host.says('and again');
  for (const person of [near, far]) await person.reads(/and again/, 30_000);
  written('Redis away for 10 s, heard everywhere afterwards', `${Date.now() - again} ms`);
  for (const guest of [near, far]) {
    atMost('Redis away for 10 s, longest time without a frame', longestGap(await frameTimes(guest.stream)), 1_000, 'ms');
  }
  for (const { context, faults } of [host, near, far]) {
    expect(faults).toEqual([]);
    await context.close();
  }
});
