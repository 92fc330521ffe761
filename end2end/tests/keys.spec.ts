import WebSocket from 'ws';
import { Cloudflare } from '../harness/cloudflare';
import { expect, test as base } from '../harness/test';
import { Tessro } from '../harness/tessro';

const appKey = 'forum-key-0123456789abcdef';

/** What the operator's files say, given the key at the provider. */
const files = (key: string, token: string, apps = '') => ({
  '.env': `CLOUDFLARE_TURN_KEY_ID=${key}\nCLOUDFLARE_TURN_API_TOKEN_FILE=token\nAPI_KEYS_FILE=apps\n`,
  token: `${token}\n`,
  apps,
});

// No browser and no relay: credentials are asked for, and nobody uses them.
const test = base.extend({
  // eslint-disable-next-line no-empty-pattern
  cloudflare: async ({}, use) => {
    const cloudflare = await Cloudflare.start({ urls: ['turn:127.0.0.1:3478'], secret: 'north' });
    await use(cloudflare);
    await cloudflare.stop();
  },
  tessro: async ({ cloudflare }, use, info) => {
    const tessro = await Tessro.start(
      { CLOUDFLARE_TURN_API_BASE: cloudflare.base },
      { files: files(Cloudflare.key, Cloudflare.token) },
    );
    await use(tessro);
    if (info.status !== info.expectedStatus) await info.attach('server log', { body: tessro.log.join('\n') });
    await tessro.dispose();
  },
});

/** Somebody who creates a session: their open socket and their token. */
async function participant(tessro: Tessro): Promise<{ socket: WebSocket; token: string }> {
  const socket = new WebSocket(`${tessro.origin.replace(/^http/, 'ws')}/ws`, { origin: tessro.origin });
  const token = await new Promise<string>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => socket.send(JSON.stringify({ type: 'create', name: 'Ada', password: null })));
    socket.once('message', (data) => resolve((JSON.parse(String(data)) as { token: string }).token));
  });
  return { socket, token };
}

async function ask(tessro: Tessro, headers: Record<string, string> = {}) {
  const answer = await fetch(`${tessro.origin}/api/turn-credentials`, { headers });
  const body = (await answer.json()) as { degraded?: boolean; iceServers?: { username?: string }[] };
  return { status: answer.status, degraded: body.degraded, username: body.iceServers?.find(({ username }) => username)?.username };
}

test('after SIGHUP the keys in .env and in its files are used, and what the old ones minted is not handed out again', async ({
  tessro,
  cloudflare,
}) => {
  const { socket, token } = await participant(tessro);
  const asParticipant = () => ask(tessro, { Authorization: `Bearer ${token}` });
  const asApp = () => ask(tessro, { 'X-Api-Key': appKey });
  const first = await asParticipant();
  expect(first).toEqual({ status: 200, degraded: false, username: cloudflare.minted[0]!.username });
  expect(await asParticipant(), 'kept').toEqual(first);
  expect((await asApp()).status).toBe(401);

  // The operator makes another key and withdraws the old one. The process knows nothing of it yet.
  cloudflare.accepts = { key: 'another-key', token: 'another-token-of-the-stand-in' };
  for (const [name, text] of Object.entries(files('another-key', 'another-token-of-the-stand-in', `forum key=${appKey}\n`))) {
    tessro.write(name, text);
  }
  expect(await asParticipant(), 'still kept').toEqual(first);
  expect((await ask(tessro)).degraded).toBe(true);

  const pid = tessro.pid;
  tessro.hangUp();
  await tessro.logs(/Settings of credentials were read again/);
  const second = await asParticipant();
  expect(second).toEqual({ status: 200, degraded: false, username: cloudflare.minted[1]!.username });
  expect(second.username).not.toBe(first.username);
  expect(await asParticipant(), 'kept again').toEqual(second);
  expect(await asApp()).toMatchObject({ status: 200, degraded: false });
  expect([tessro.pid, socket.readyState]).toEqual([pid, WebSocket.OPEN]);

  // What means nothing changes nothing, and is said.
  tessro.write('apps', 'forum kee=0123456789abcdef\n');
  tessro.hangUp();
  expect(await tessro.logs(/Settings were not read again/)).toContain('line 1 cannot be used');
  expect(await asApp()).toMatchObject({ status: 200, degraded: false });

  const log = tessro.log.join('\n');
  for (const secret of [Cloudflare.token, 'another-token', appKey]) expect(log).not.toContain(secret);
  socket.terminate();
});
