import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdlePeople } from '../harness/idle_people';
import { median } from '../harness/median';
import { expect, test } from '../harness/test';
import { Tessro } from '../harness/tessro';

/** Bytes that the process holds in memory: all of it, or what was allocated, without the pages of the program that are read in meanwhile. */
function residentBytes({ pid }: Tessro, which: 'VmRSS' | 'RssAnon' = 'VmRSS'): number {
  return 1024 * Number(new RegExp(`${which}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

test('start to listening, and memory when nobody is there', async () => {
  const starts: number[] = [];
  const resident: number[] = [];
  for (let run = 0; run < 10; run += 1) {
    const begun = performance.now();
    const tessro = await Tessro.start();
    starts.push(performance.now() - begun);
    await fetch(tessro.origin);
    await sleep(1_000);
    resident.push(residentBytes(tessro));
    await tessro.dispose();
  }
  console.log(`start to listening: median of ${starts.length} ${median(starts).toFixed(0)} ms, with an empty data folder`);
  console.log(`idle, after one page: median of ${resident.length} ${(median(resident) / 1024 / 1024).toFixed(1)} MiB resident`);
});

for (const [who, perSession, most] of [
  // Nobody sits so; beside the other figure it tells what a session costs.
  ['each in a session of their own', 1, 16 * 1024],
  ['eight to a session', 8, 12 * 1024],
] as const) {
  test(`memory of 1,000 idle participants, ${who}`, async () => {
    const tessro = await Tessro.start(IdlePeople.environment);
    const people = new IdlePeople(tessro);
    try {
      // What only the first visitors cost is not the price of a socket.
      await people.enter(16, perSession);
      await fetch(tessro.origin);
      await sleep(2_000);
      const [before, first] = [residentBytes(tessro, 'RssAnon'), people.open];
      await people.enter(1_000, perSession);
      await sleep(2_000);
      expect(people.open).toBe(first + 1_000);
      const each = (residentBytes(tessro, 'RssAnon') - before) / 1_000;
      console.log(`memory for each of 1,000 idle sockets, ${who}: ${each.toFixed(0)} bytes allocated and resident`);
      expect(each).toBeLessThanOrEqual(most);
    } finally {
      people.leave();
      await tessro.dispose();
    }
  });
}
