import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { isRelayed } from '../harness/connection_stats';
import { nightJourney } from '../harness/film';
import { atMost, written } from '../harness/figures';
import { RelayAlone } from '../harness/tessro';
import { expect, test as base } from '../harness/test';
import { longestGapWithin, seesFrames } from '../harness/watching';

// The built-in relay as a process of its own: what becomes of the app, or of the secret, cuts nobody.

const [old, fresh] = ['the-secret-of-last-month', 'the-secret-from-now-on'];

const test = base.extend<{ relay: RelayAlone }>({
  // eslint-disable-next-line no-empty-pattern
  relay: async ({}, use, info) => {
    const relay = await RelayAlone.start(old);
    await use(relay);
    if (info.status !== info.expectedStatus) await info.attach('relay log', { body: relay.log.join('\n') });
    await relay.dispose();
  },
  environment: async ({ relay }, use) => {
    await use(relay.environment);
  },
});

/** The login of the relay that the page's newest connection was built with. */
async function login(page: Page): Promise<{ username: string; credential: string }> {
  const servers = await page.evaluate(() => window.instruments.configurations.at(-1)?.iceServers ?? []);
  const { username, credential } = servers.find((server) => server.credential !== undefined)!;
  return { username: username!, credential: credential! };
}

/** Whose signature it is. */
function isSignedWith(secret: string, { username, credential }: { username: string; credential: string }): boolean {
  return createHmac('sha1', secret).update(username).digest('base64') === credential;
}

test('the app is stopped and started again while a film runs over its relay, the secret is changed, and nobody is cut', async ({ people, tessro, relay }) => {
  await tessro.logs(/The built-in relay is a process of its own: tessro relay/);
  const host = await people.host({ name: 'Ada' });
  const guest = await people.guest(host, { name: 'Bob' });
  for (const person of [host, guest]) await person.hideMyAddress();
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 150, 20_000);
  for (const { page, badge } of [host, guest]) {
    await isRelayed(page);
    await expect(badge).toContainText('Relayed by Built-in relay');
    expect(isSignedWith(old, await login(page))).toBe(true);
  }
  const used = async () => (await tessro.bandwidth()).bandwidthUsedBytes;
  await expect.poll(used, { message: 'the app counts what that relay tells' }).toBeGreaterThan(500_000);
  const code = host.sessionCode;

  const quiet = await longestGapWithin(guest.stream, 20);
  written('longest gap in 20 quiet seconds, relay of its own process', `${quiet.toFixed(0)} ms`);
  let counted = 0;
  const cut = await longestGapWithin(guest.stream, 20, async () => {
    counted = await used();
    await tessro.stop();
    await sleep(3_000);
    await tessro.startAgain();
  });
  atMost('longest gap, the app stopped and started again, relay of its own process', cut, 1_000, 'ms');
  for (const person of [host, guest]) {
    await expect(person.participants.getByRole('listitem')).toHaveCount(2);
    await person.doesNotRead(/server cannot be reached/i);
    expect(person.sessionCode).toBe(code);
    await isRelayed(person.page);
  }
  // It is the same session, not the memory of one: what the host does reaches everyone.
  await host.pause();
  await guest.reads(/\bPaused\b/);
  await host.play();
  await seesFrames(guest.stream);
  await expect.poll(used, { message: 'the app counts on' }).toBeGreaterThan(counted + 500_000);

  // The relay first, so that it takes what the app hands out.
  relay.changeSecret(`${fresh},${old}`);
  relay.hangUp();
  await relay.logs(/The relay's secrets were read again/);
  const before = await people.guest(host, { name: 'Cem' });
  await before.hideMyAddress();
  await seesFrames(before.stream, 15, 20_000);
  expect(isSignedWith(old, await login(before.page)), 'the app has not read it yet').toBe(true);
  tessro.hangUp();
  await tessro.logs(/Settings of credentials were read again/);
  const after = await people.guest(host, { name: 'Dora' });
  await after.hideMyAddress();
  await seesFrames(after.stream, 15, 20_000);
  expect(isSignedWith(fresh, await login(after.page))).toBe(true);
  for (const { page, stream } of [guest, before, after]) {
    await isRelayed(page);
    await seesFrames(stream);
  }

  for (const person of [after, before, guest, host]) await person.leave.click();
  expect(relay.running, 'one process all along').toBe(true);
  expect(await relay.stop()).toBe(0);
});
