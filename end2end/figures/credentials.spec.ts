import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cloudflare } from '../harness/cloudflare';
import { percentile } from '../harness/figures';
import { IdlePeople } from '../harness/idle_people';
import { expect, test } from '../harness/test';
import { Tessro } from '../harness/tessro';

const people = 200;
const perSecond = 200;
const seconds = 15;

/** How long one answer takes, from the moment at which it was due. */
function ask(agent: http.Agent, url: string, headers: Record<string, string>, due: number): Promise<{ took: number; answer: string }> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent, headers }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (part: string) => (answer += part));
        response.on('end', () => resolve({ took: performance.now() - due, answer: `${response.statusCode} ${answer}` }));
      })
      .on('error', reject);
  });
}

/** So many requests a second, evenly, whatever the answers take. */
async function steadily(one: (number: number, due: number) => Promise<{ took: number; answer: string }>): Promise<{ took: number; answer: string }[]> {
  const began = performance.now();
  const asked: Promise<{ took: number; answer: string }>[] = [];
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const due = began + (number * 1_000) / perSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    // A timer of Node's comes a millisecond late: that is not the server's time.
    asked.push(one(number, performance.now()));
  }
  return Promise.all(asked);
}

test('answers that are kept, while the provider hangs', async () => {
  const cloudflare = await Cloudflare.start({ urls: ['turn:relay.example:3478?transport=udp'], secret: 'north' });
  // All of them ask from one address.
  const tessro = await Tessro.start({ ...IdlePeople.environment, ...cloudflare.environment, RATE_LIMIT_API: 'off' });
  const idle = new IdlePeople(tessro);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  let waiting = 0;
  try {
    await idle.enter(people, 8);
    const url = `${tessro.origin}/api/turn-credentials`;
    const bearer = (number: number) => ({ Authorization: `Bearer ${idle.tokens[number % people]}` });
    for (let number = 0; number < people; number += 1) {
      const { answer } = await ask(agent, url, bearer(number), 0);
      expect(answer).toMatch(/^200 .*"provider":"cloudflare"/);
    }
    const minted = cloudflare.mints.length;

    const health = await steadily((_, due) => ask(agent, `${tessro.origin}/health`, {}, due));
    cloudflare.fault = 'hang';
    // People who are in no session wait for the provider all the while.
    const strangers = setInterval(() => {
      waiting += 1;
      void fetch(url, { headers: { 'X-Forwarded-For': `192.0.2.${waiting % 250}` } }).catch(() => {});
    }, 200);
    const kept = await steadily((number, due) => ask(agent, url, bearer(number), due));
    clearInterval(strangers);

    for (const { answer } of kept) expect(answer).toMatch(/^200 .*"provider":"cloudflare"/);
    expect(cloudflare.mints.length, 'nobody minted anew').toBe(minted);
    expect(cloudflare.requests, 'somebody waits for the provider').toBeGreaterThan(minted);
    const at = (all: { took: number }[], part: number) => percentile(all.map(({ took }) => took), part);
    const [ours, bare] = [at(kept, 0.99), at(health, 0.99)];
    console.log(
      `credentials that are kept, ${people} participants, ${perSecond} a second while the provider hangs: median ${at(kept, 0.5).toFixed(2)} ms, ` +
        `p99 ${ours.toFixed(2)} ms; /health in the same run p99 ${bare.toFixed(2)} ms, ratio ${(ours / bare).toFixed(2)}`,
    );
    expect(ours).toBeLessThan(10);
  } finally {
    agent.destroy();
    idle.leave();
    await tessro.dispose();
    await cloudflare.stop();
  }
});
