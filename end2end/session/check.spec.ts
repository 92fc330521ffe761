import { apart } from '../harness/apart';
import { isAccessible } from '../harness/axe';
import { again, answer, checks, outcome, start } from '../harness/checking';
import { Coturn } from '../harness/coturn';
import { nightTrain } from '../harness/film';
import { freePort } from '../harness/free_port';
import type { Person } from '../harness/people';
import { expect, relayed, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

/** What goes to support; it never holds an address, whatever happened. */
async function supportText({ page }: Person): Promise<string> {
  const text = await page.getByRole('textbox', { name: 'Text for support' }).inputValue();
  expect(text).toMatch(/^Tessro \d+\.\d+\.\d+, connection check\n/);
  const body = text.split('\n').slice(1).join('\n');
  expect(body).not.toMatch(/\d+\.\d+\.\d+\.\d+|[0-9a-f]+:[0-9a-f:]+:[0-9a-f]+|\.local|localhost|turns?:|stun:/i);
  return text;
}

async function pictures({ page }: Person, name: string): Promise<void> {
  for (const [screen, width, height] of [['desk', 1280, 800], ['phone', 390, 844]] as const) {
    await page.setViewportSize({ width, height });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wide, `pixels past the edge of the ${screen}`).toBeLessThanOrEqual(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: test.info().outputPath(`${name}-${screen}-${colorScheme}.png`), fullPage: true });
    }
  }
}

relayed('where all is well every entrance carries data, and what ran over the relay is counted', async ({ people, coturn, cloudflare, tessro }) => {
  const visitor = await people.arrive();
  await visitor.page.goto('/check');
  await expect(start(visitor.page)).toBeEnabled();
  await isAccessible(visitor.page, 'before a check');
  expect(cloudflare.requests, 'nothing is minted before somebody presses').toBe(0);

  expect(await checks(visitor)).toMatch(/^You can watch directly\.\s+Where that fails, the relay steps in/);
  const { page } = visitor;
  await expect(answer(page, 'This device')).toContainText('Has an address to connect from');
  for (const transport of ['UDP', 'TCP']) {
    const relay = answer(page, `Relay · ${transport}, port ${coturn.port}`);
    await expect(relay).toContainText(/Lets you in, after \d+ ms/);
    await expect(relay).toContainText(/Carries data both ways: \d+\.\d Mbps there, \d+\.\d Mbps back, round trip \d+ ms/);
  }
  await expect(answer(page, 'Seen from outside (STUN)')).not.toContainText('No answer');

  await coturn.everythingEnded();
  await expect.poll(async () => (await tessro.bandwidth()).bandwidthUsedBytes).toBeGreaterThan(1_000_000);
  const { bandwidthUsedBytes: used, activeConnections } = await tessro.bandwidth();
  const off = `counted ${used}, the relay sent ${coturn.sent}: ${(((used - coturn.sent) / coturn.sent) * 100).toFixed(2)} %`;
  test.info().annotations.push({ type: 'figure', description: off });
  console.log(`  ${off}`);
  expect(Math.abs(used - coturn.sent) / coturn.sent, off).toBeLessThan(0.02);
  expect(activeConnections, 'a check is no connection between a host and a guest').toBe(0);

  const text = await supportText(visitor);
  expect(text).toContain('Relay by: Cloudflare');
  for (const { username, credential } of cloudflare.minted) {
    expect(text).not.toContain(username);
    expect(text).not.toContain(credential);
  }
  await isAccessible(visitor.page, 'after a check');
  await pictures(visitor, 'well');
});

relayed('with the keyboard alone: begins, hears the end, keeps the focus, copies the text', async ({ people }) => {
  const { page, context } = await people.arrive();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/');
  const link = page.getByRole('link', { name: 'Check my connection' });
  await expect(start(page)).toHaveCount(0);
  await link.focus();
  await page.keyboard.press('Enter');
  await expect(start(page)).toBeEnabled();
  for (let presses = 0; presses < 5; presses += 1) {
    await page.keyboard.press('Tab');
    if (await start(page).evaluate((button) => button === document.activeElement)) break;
  }
  await expect(start(page)).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status').first()).toContainText(/Asking|Waiting|Sending/);
  await expect(again(page)).toBeFocused({ timeout: 45_000 });
  await page.keyboard.press('Tab');
  await expect(page.getByRole('textbox', { name: 'Text for support' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Copied.')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^Tessro .*\nYou can watch directly\./);
});

relayed('in a session the way there leads beside it, and nobody loses the film', async ({ people }) => {
  const { guest } = await people.watching(nightTrain);
  const opened = guest.context.waitForEvent('page');
  await guest.page.getByRole('link', { name: 'Check my connection' }).first().click();
  const page = await opened;
  await expect(page.getByRole('heading', { name: 'Check my connection' })).toBeVisible();
  await seesFrames(guest.stream);
  await page.close();
});

test.describe('with a login that the relay does not know', () => {
  const login = { username: 'cinema', credential: 'right' };
  const wrong = test.extend<{ relay: Coturn }>({
    relay: async ({}, use) => {
      const relay = await Coturn.start({ login });
      await use(relay);
      await relay.stop();
    },
    environment: async ({ relay }, use) => {
      await use({ STATIC_TURN_URLS: relay.relay.urls.join(','), STATIC_TURN_USERNAME: 'cinema', STATIC_TURN_CREDENTIAL: 'wrong' });
    },
  });
  wrong('the relay says 401, in words', async ({ people, tessro }) => {
    const visitor = await people.arrive();
    expect(await checks(visitor)).toMatch(/relay refuses you\.\s+Refuses the login: it is wrong or has expired \(401\)\. Nothing is wrong with your network/);
    await expect(answer(visitor.page, /Relay · UDP/)).toContainText(/Refuses the login.*\(401, \d+ m?s\)/);
    expect(await supportText(visitor)).toContain('(401');
    expect((await tessro.bandwidth()).bandwidthUsedBytes).toBe(0);
    await isAccessible(visitor.page, 'refused');
    await pictures(visitor, 'refused');
  });
});

test.describe('with a relay that is not there', () => {
  const nowhere = test.extend({
    environment: async ({}, use) => {
      const at = `turn:127.0.0.1:${await freePort()}`;
      await use({ COTURN_URLS: `${at}?transport=udp,${at}?transport=tcp`, COTURN_SHARED_SECRET: 'north' });
    },
  });
  nowhere('the ports that do not answer are named, with whom to ask', async ({ people }) => {
    const visitor = await people.arrive();
    expect(await checks(visitor)).toMatch(/blocks UDP port \d+ and TCP port \d+, or the relay is down\.\s+Ask whoever runs your network to allow outgoing UDP port \d+ and TCP port \d+/);
    await expect(answer(visitor.page, /Relay · TCP/)).toContainText(/no answer/i);
    await supportText(visitor);
  });
});

test('without any relay the page says so, in German too, and asks nobody', async ({ people }) => {
  const visitor = await people.arrive({ locale: 'de-DE' });
  const { page } = visitor;
  await page.goto('/check');
  await page.getByRole('button', { name: 'Prüfung starten' }).click();
  await expect(page.getByRole('button', { name: 'Noch einmal prüfen' })).toBeVisible({ timeout: 20_000 });
  await expect(outcome(page)).toContainText('Niemand war zu fragen, und es gibt kein Relay.');
  await expect(outcome(page)).toContainText('Diese Seite hat kein Relay.');
  const text = await page.getByRole('textbox', { name: 'Text für den Support' }).inputValue();
  expect(text).toContain('This site has no relay.');
});

test.describe('with one request in five minutes', () => {
  relayed.use({ environment: { RATE_LIMIT_CREDENTIALS: '1/5m' } });
  relayed('who checks too often reads when to come back', async ({ people }) => {
    const visitor = await people.arrive();
    expect(await checks(visitor)).toMatch(/^You can watch directly\./);
    expect(await checks(visitor)).toMatch(/Your network has asked for a relay too often\. Check again in [1-5] minutes\./);
  });
});

test.describe('with nothing left of the month', () => {
  relayed.use({ environment: { MONTHLY_BANDWIDTH_LIMIT_GB: '0' } });
  relayed('at the cap nothing is relayed, and the page says why', async ({ people, coturn }) => {
    expect(await checks(await people.arrive())).toMatch(/This month’s relay budget is used up/);
    expect(coturn.allocations).toEqual([]);
  });
});

apart('a network that drops UDP is named, and the relay works over TCP', async ({ apart: stage }) => {
  apart.setTimeout(120_000);
  stage.namespaces.blockUdp(0);
  const visitor = await stage.arrive(0);
  const [relay] = stage.relays;
  expect(await checks(visitor)).toMatch(
    new RegExp(`^You need a relay, and it works: your network blocks UDP\\.\\s+.*over TCP.*allow outgoing UDP port ${relay!.port}\\.`, 's'),
  );
  await expect(answer(visitor.page, /Relay · UDP/)).toContainText(/no answer/i);
  await expect(answer(visitor.page, /Relay · TCP/)).toContainText(/Carries data both ways/);
  await supportText(visitor);
  await expect.poll(async () => (await stage.tessro.bandwidth()).bandwidthUsedBytes).toBeGreaterThan(500_000);
  await pictures(visitor, 'blocked');
});

apart('who stops or leaves in the middle gives everything back, and what ran is counted', async ({ apart: stage }) => {
  apart.setTimeout(180_000);
  // Slow enough that there is a middle.
  await stage.namespaces.narrow(0, { bitsPerSecond: 1_000_000, delayMs: 20, lossPercent: 0, queueMs: 200 });
  const { page } = await stage.arrive(0);
  const relay = stage.relays[0]!;
  const used = async () => (await stage.tessro.bandwidth()).bandwidthUsedBytes;
  const underWay = async () => {
    await page.goto('/check');
    await start(page).click();
    await expect(page.getByText('Sending data through the relay')).toBeVisible({ timeout: 30_000 });
    await page.waitForTimeout(3_000);
  };
  await underWay();
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(start(page)).toBeFocused();
  await relay.everythingEnded();
  const stopped = relay.sent;
  expect(stopped).toBeGreaterThan(100_000);
  // What waits in front of the narrow line has left the relay and reaches nobody.
  await expect.poll(used, { message: `of ${stopped}` }).toBeGreaterThan(stopped * 0.85);

  await underWay();
  await page.goto('about:blank');
  await relay.everythingEnded();
  const left = relay.sent - stopped;
  await expect.poll(used, { message: `of ${stopped + left}` }).toBeGreaterThan(stopped * 0.85 + left * 0.6);
  expect(await used()).toBeLessThan((stopped + left) * 1.05);
});
