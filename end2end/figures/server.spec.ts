import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../harness/median';
import { test } from '../harness/test';
import { Tessro } from '../harness/tessro';

test('start to listening, and memory when nobody is there', async () => {
  const starts: number[] = [];
  const resident: number[] = [];
  for (let run = 0; run < 10; run += 1) {
    const begun = performance.now();
    const tessro = await Tessro.start();
    starts.push(performance.now() - begun);
    await fetch(tessro.origin);
    await sleep(1_000);
    resident.push(Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${tessro.pid}/status`, 'utf8'))![1]));
    await tessro.dispose();
  }
  console.log(`start to listening: median of ${starts.length} ${median(starts).toFixed(0)} ms, with an empty data folder`);
  console.log(`idle, after one page: median of ${resident.length} ${(median(resident) / 1024).toFixed(1)} MiB resident`);
});
