import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Started } from '../harness/process';
import { expect, relayed, test } from '../harness/test';
import { Tessro } from '../harness/tessro';

const namespace = 'tessro-guides';
/** As the guide has it. */
const address = '203.0.113.10';
const secret = 'secret-of-the-guides-0123456789';

/** For so long at most: a client that is refused asks again for ever. */
const inside = (...command: string[]) => promisify(execFile)('ip', ['netns', 'exec', namespace, 'timeout', '45', ...command]);

/** The blocks of a guide that are written in this language. */
function blocks(guide: string, language: string): string[] {
  const text = readFileSync(path.join(__dirname, '..', '..', 'docs', guide), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!);
}

/** The one block with these words. */
function block(guide: string, language: string, words: string): string {
  const found = blocks(guide, language).filter((text) => text.includes(words));
  expect(found, `${guide} has one block with ${words}`).toHaveLength(1);
  return found[0]!;
}

test('the configuration of coturn in the guide runs, and so do the recipes with what Tessro hands out', async () => {
  test.setTimeout(180_000);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-guides-'));
  const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const certificate = ['-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=turn.example', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...certificate, '-keyout', `${folder}/privkey.pem`, '-out', `${folder}/fullchain.pem`], { stdio: 'ignore' });
  const settings = block('coturn.md', 'conf', 'use-auth-secret')
    .replaceAll('CHANGE-ME', secret)
    .replaceAll('/etc/coturn', folder)
    // The same log, where the test can read it.
    .replace(/^syslog$/m, `simple-log\nverbose\nlog-file=${folder}/log\npidfile=${folder}/pid\nuserdb=${folder}/db`);
  writeFileSync(`${folder}/turnserver.conf`, settings);

  ip('netns', 'add', namespace);
  let coturn: Started | undefined, tessro: Tessro | undefined;
  try {
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'nobody');
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'outside');
    for (const end of ['outside', 'nobody']) ip('-n', namespace, 'link', 'set', end, 'up');
    coturn = new Started('turnserver', 'ip', ['netns', 'exec', namespace, 'turnserver', '-c', `${folder}/turnserver.conf`]);
    const log = () => (existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, 'utf8') : '');
    await expect.poll(() => coturn!.running && log().includes('TLS/TCP listener opened on')).toBe(true);
    expect(log()).not.toMatch(/unknown|bad configuration format|WARNING: cannot find (certificate|private key)/i);

    const variables = block('coturn.md', 'sh', 'COTURN_URLS=').replaceAll('CHANGE-ME', secret).trim().split('\n');
    tessro = await Tessro.start(Object.fromEntries(variables.map((line) => line.split(/=(.*)/s).slice(0, 2))), { namespace });

    const here = (text: string) => text.replaceAll('http://localhost:3001', tessro!.origin);
    const take = here(block('troubleshooting.md', 'sh', 'jq -r .username'));
    const { stdout: uris } = await inside('bash', '-c', take);
    expect(uris.trim().split('\n')).toEqual(variables[0]!.replace('COTURN_URLS=', '').split(','));

    const there = (text: string) => text.replaceAll('turn.example', address);
    const recipes = there(block('troubleshooting.md', 'sh', '-t -S -p 443')).trim().split('\n');
    expect(recipes).toHaveLength(3);
    // coturn's client reads TLS a record at a time and may wait for ever for what it holds already: by hand only.
    for (const recipe of recipes.slice(0, 2)) {
      const { stdout } = await inside('bash', '-c', `${take}\n${recipe}`).catch((failed: { stdout: string }) => failed);
      expect(stdout, recipe).toMatch(/tot_send_msgs=40, tot_recv_msgs=[34]\d/);
    }
    const forbidden = there(block('troubleshooting.md', 'sh', '-e 10.0.0.1'));
    expect(await inside('bash', '-c', `${take}\n${forbidden}`).then(({ stdout }) => stdout, ({ stdout }: { stdout: string }) => stdout)).toContain('error 403 (Forbidden IP)');
    const wrong = recipes[0]!.replace('"$password"', 'wrong');
    expect(await inside('bash', '-c', `${take}\n${wrong}`).then(({ stdout }) => stdout, ({ stdout }: { stdout: string }) => stdout)).toContain('Cannot complete Allocation');
  } finally {
    await tessro?.dispose();
    await coturn?.end('SIGKILL');
    ip('netns', 'del', namespace);
    rmSync(folder, { recursive: true, force: true });
  }
});

relayed('the lines for any console find the relay', async ({ people, coturn }) => {
  const { page, context, console } = await people.arrive();
  await page.goto('/');
  const lines = block('troubleshooting.md', 'js', 'RTCPeerConnection');
  // As the browser's own console runs them.
  const session = await context.newCDPSession(page);
  const { exceptionDetails } = await session.send('Runtime.evaluate', { expression: lines, replMode: true, awaitPromise: true });
  expect(exceptionDetails?.exception?.description ?? exceptionDetails?.text).toBeUndefined();
  await expect
    .poll(() => console.join('\n'), { message: 'what the console says', timeout: 15_000 })
    .toMatch(/^\[log\] relay\b/m);
  await expect.poll(() => coturn.allocations.length).toBeGreaterThan(0);
});
