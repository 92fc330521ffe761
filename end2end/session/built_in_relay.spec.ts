import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { certificate } from '../harness/certificate';
import { answer, checks } from '../harness/checking';
import { chromium } from '../harness/chromium';
import { pairs } from '../harness/connection_stats';
import { nightJourney, nightTrain } from '../harness/film';
import { freePort } from '../harness/free_port';
import { hasOnly } from '../harness/offered';
import { expect, test as base } from '../harness/test';
import { Tessro } from '../harness/tessro';
import { seesFrames } from '../harness/watching';

/** A way from a browser to the relay: the address that it is left with, and what its statistics call it. */
interface Way {
  url: RegExp;
  protocol: 'udp' | 'tcp' | 'tls';
  secure?: boolean;
}

const ways: Record<string, Way> = {
  UDP: { url: /^turn:127\.0\.0\.1:\d+\?transport=udp$/, protocol: 'udp' },
  TCP: { url: /^turn:127\.0\.0\.1:\d+\?transport=tcp$/, protocol: 'tcp' },
  'TLS, on the port of the site': { url: /^turns:/, protocol: 'tls', secure: true },
  'IPv6 and UDP': { url: /^turn:\[::1\]:\d+\?transport=udp$/, protocol: 'udp' },
};

const development = { TURN_RELAY_DEVELOPMENT: '1', TURN_RELAY_PORT: '0' };

const test = base.extend<{ secure: boolean; folder: string }>({
  secure: [false, { option: true }],
  // eslint-disable-next-line no-empty-pattern
  folder: async ({}, use) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-certificate-'));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
  tessro: async ({ secure, folder }, use, info) => {
    const port = await freePort();
    const sealed = secure ? { ...certificate(folder), TURN_RELAY_TLS_PORT: String(port) } : {};
    const tessro = await Tessro.start({ ...development, ...sealed }, { port });
    await use(tessro);
    if (info.status !== info.expectedStatus) await info.attach('server log', { body: tessro.log.join('\n') });
    await tessro.dispose();
  },
});

// One of the ways has a certificate that nobody knows.
test.use({ launchOptions: chromium({ certificates: 'any' }) });

for (const [name, { url, protocol, secure = false }] of Object.entries(ways)) {
  test.describe(name, () => {
    test.use({ secure });
    test('carries the film from a host to a guest who both hide their addresses', async ({ people, tessro }) => {
      await tessro.logs(/✅ Built-in relay TURN service configured/);
      const options = { ignoreHTTPSErrors: secure };
      const [host, guest] = [await people.arrive(options), await people.arrive(options)];
      for (const person of [host, guest]) await hasOnly(person, url);
      await host.createSession({ name: 'Ada' });
      await guest.joinByLink(host.invite, { name: 'Bob' });
      for (const person of [host, guest]) await person.hideMyAddress();
      await host.choose(nightTrain);
      await seesFrames(guest.stream);
      for (const { page, console } of [host, guest]) {
        expect(console.join('\n')).toContain('[WebRTC] Successfully fetched Built-in relay TURN credentials');
        const selected = async () => (await pairs(page)).find((pair) => pair.selected);
        await expect.poll(async () => (await selected())?.relayProtocol).toBe(protocol);
        expect(await selected()).toMatchObject({ local: 'relay', relayUrl: expect.stringMatching(url) });
      }
      for (const { badge } of [host, guest]) await expect(badge).toContainText('Relayed by Built-in relay');
    });
  });
}

test.describe('a check of the connection', () => {
  test.use({ secure: true });
  test('sends data both ways over TLS as well, on the port of the site', async ({ people, tessro }) => {
    const visitor = await people.arrive({ ignoreHTTPSErrors: true });
    await checks(visitor);
    // TURN over TLS is TURN over TCP inside of it.
    const sealed = answer(visitor.page, `Relay, encrypted · TCP, port ${tessro.port}`);
    await expect(sealed).toHaveCount(1);
    await expect(sealed).toContainText(/Lets you in, after \d+ ms/);
    await expect(sealed).toContainText(/Carries data both ways: \d+\.\d Mbps there, \d+\.\d Mbps back, round trip \d+ ms/);
  });
});

test('with nothing configured a guest who hides the address sees the film over the relay', async ({ people, tessro }) => {
  const answer = (await (await fetch(`${tessro.origin}/api/turn-credentials`)).json()) as { provider: string; degraded: boolean };
  expect([answer.provider, answer.degraded]).toEqual(['relay', false]);
  const { guest } = await people.watching(nightTrain);
  await guest.hideMyAddress();
  await seesFrames(guest.stream);
  await expect.poll(async () => (await pairs(guest.page)).find(({ selected }) => selected)?.local).toBe('relay');
});

// Where coturn is set as well it is asked first, and the built-in relay is the last in the line.
const behindCoturn = base.extend({
  tessro: async ({ coturn }, use, info) => {
    const { urls, secret } = coturn.relay;
    const tessro = await Tessro.start({ ...development, COTURN_URLS: urls[0]!, COTURN_SHARED_SECRET: secret });
    await use(tessro);
    if (info.status !== info.expectedStatus) await info.attach('server log', { body: tessro.log.join('\n') });
    await tessro.dispose();
  },
});

behindCoturn('from a coturn that dies while people watch the film goes over to the built-in relay', async ({ people, coturn }) => {
  const { host, guest } = await people.watching(nightJourney);
  for (const person of [host, guest]) await person.hideMyAddress();
  await seesFrames(guest.stream);
  for (const { badge } of [host, guest]) await expect(badge).toContainText('Relayed by coturn');
  await coturn.kill();
  for (const { badge } of [host, guest]) {
    await expect(badge).toContainText('Relayed by Built-in relay', { timeout: 30_000 });
  }
  await seesFrames(guest.stream);
  for (const { page } of [host, guest]) {
    expect((await pairs(page)).find(({ selected }) => selected)?.local).toBe('relay');
  }
});
