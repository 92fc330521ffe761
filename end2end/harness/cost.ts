import { readFileSync } from 'node:fs';
import type { Browser } from '@playwright/test';

/** What the processes of one kind cost so far. */
export interface Cost {
  /** In seconds, over all cores. */
  cpu: number;
  /** In bytes; what several processes share is shared out. */
  memory: number;
}

/** What a browser costs, by kind of process: `renderer` (its pages), `GPU` (what puts pictures on the screen), `browser`, ... */
export async function costs(browser: Browser): Promise<Map<string, Cost>> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = (await session.send('SystemInfo.getProcessInfo')) as { processInfo: { type: string; id: number }[] };
  await session.detach();
  const all = new Map<string, Cost>();
  for (const { type, id } of processInfo) {
    const cost = all.get(type) ?? { cpu: 0, memory: 0 };
    const [user, system] = readFileSync(`/proc/${id}/stat`, 'utf8').replace(/^.*\) /, '').split(' ').slice(11, 13).map(Number);
    // In ticks, of which Linux has a hundred a second on every machine.
    cost.cpu += (user! + system!) / 100;
    cost.memory += 1024 * Number(/Pss:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    all.set(type, cost);
  }
  return all;
}
