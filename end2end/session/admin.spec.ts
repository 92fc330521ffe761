import type { Locator, Page } from '@playwright/test';
import { isAccessible } from '../harness/axe';
import { longEvening } from '../harness/film';
import { Operator, TOKEN } from '../harness/operator';
import type { Person } from '../harness/people';
import { expect, relayed, test, type People } from '../harness/test';
import { monthOfUse } from '../harness/usage';

const providers = {
  ADMIN_TOKEN: TOKEN,
  TURN_PROVIDERS: 'coturn,static',
  COTURN_URLS: 'turn:127.0.0.1:3999',
  COTURN_SHARED_SECRET: 'north',
  STATIC_TURN_URLS: 'turn:127.0.0.1:3999',
  STATIC_TURN_USERNAME: 'cinema',
  STATIC_TURN_CREDENTIAL: 'a-login-for-everybody',
};

async function isAccessibleAndFits(page: Page, what: string): Promise<void> {
  await isAccessible(page, what);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wide, `${what}: pixels past the edge`).toBeLessThanOrEqual(0);
}

/** Presses Tab until this has the focus, and then Enter. */
async function pressesByKeyboard(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
    if (name.test(focused.trim())) {
      await page.keyboard.press('Enter');
      return;
    }
  }
  throw new Error(`${name} cannot be reached by Tab`);
}

/** Ada streams to Bob, whose address stays hidden. */
async function relayedPair(people: People): Promise<{ host: Person; guest: Person }> {
  const host = await people.host({ name: 'Ada' });
  const guest = await people.guest(host, { name: 'Bob' });
  await guest.hideMyAddress();
  await host.choose(longEvening);
  return { host, guest };
}

test.describe('with two providers', () => {
  test.use({ environment: providers });

  test('a paused provider is not asked, over a restart too, until it is let go on', async ({ people, tessro }) => {
    const { page } = await people.arrive();
    const operator = new Operator(page);
    await operator.comes();
    await operator.isInside();
    const asked = async () => ((await (await fetch(`${tessro.origin}/api/turn-credentials`)).json()) as { provider: string }).provider;
    expect(await asked()).toBe('coturn');
    await operator.pauses('coturn');
    await expect(page.getByText('Paused by you')).toBeVisible();
    expect(await asked()).toBe('static');

    await tessro.kill();
    await expect(operator.live).toHaveText('Not live, retrying');
    await tessro.startAgain();
    await expect(operator.live).toHaveText('Live', { timeout: 30_000 });
    await expect(page.getByText('Paused by you')).toBeVisible();
    expect(await asked()).toBe('static');
    await page.getByRole('button', { name: 'Let it go on: coturn' }).click();
    await operator.dialogue.getByRole('button', { name: 'Let it go on' }).click();
    await expect(operator.said).toHaveText('coturn goes on.');
    expect(await asked()).toBe('coturn');
  });

  test('everything is done by keyboard alone, and the focus is never lost', async ({ people }) => {
    const host = await people.host({ name: 'Ada' });
    const { page } = await people.arrive();
    const operator = new Operator(page);
    await page.goto('/admin');
    await expect(operator.token).toBeEnabled();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await expect(operator.token).toBeFocused();
    await page.keyboard.type(TOKEN);
    await page.keyboard.press('Enter');
    await operator.isInside();

    await pressesByKeyboard(page, /^Pause: coturn$/);
    await expect(operator.dialogue).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('button', { name: 'Pause: coturn' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(operator.dialogue).toBeVisible();
    await pressesByKeyboard(page, /^Pause$/);
    await expect(operator.said).toHaveText('coturn is paused.');
    await expect(page.getByRole('button', { name: 'Let it go on: coturn' })).toBeFocused();

    await pressesByKeyboard(page, /^End session: /);
    await expect(operator.dialogue).toBeVisible();
    await pressesByKeyboard(page, /^End session$/);
    await expect(operator.said).toHaveText(/has ended\.$/);
    await expect(page.getByRole('heading', { name: 'Sessions', exact: true })).toBeFocused();
    await host.reads(/Whoever runs this site has ended the session/);
    await pressesByKeyboard(page, /^Lock the page$/);
    await expect(operator.token).toBeVisible();
  });
});

test.describe('without a token', () => {
  test('nobody gets in, and the page says how to set one', async ({ people }) => {
    const { page } = await people.arrive();
    const operator = new Operator(page);
    await operator.comes('anything');
    await expect(page.getByRole('alert').filter({ hasText: 'openssl rand -hex 24' })).toBeVisible();
  });
});

test.describe('on a phone, in German', () => {
  relayed.use({ environment: { ADMIN_TOKEN: TOKEN }});

  relayed('axe finds nothing at the door, inside and in a question, and a relayed connection is shown and ended', async ({ people }) => {
    relayed.setTimeout(120_000);
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce', locale: 'de-DE' } as const;
    const { page } = await people.arrive(phone);
    await page.goto('/admin');
    const token = page.getByLabel('Admin-Token');
    await expect(token).toBeEnabled();
    await token.fill('falsch');
    await token.press('Enter');
    await expect(page.getByRole('alert').filter({ hasText: 'Das ist nicht das Token' })).toBeVisible();
    await isAccessibleAndFits(page, 'door, refused');
    await token.fill(TOKEN);
    await token.press('Enter');
    await expect(page.getByRole('status').filter({ hasText: 'Live' })).toBeVisible();
    await isAccessibleAndFits(page, 'inside, with nothing there');

    await relayedPair(people);
    const connections = page.getByRole('region', { name: 'Verbindungen jetzt' });
    await expect(connections).toContainText('Über Relay', { timeout: 30_000 });
    await expect(connections).toContainText(/cloudflare · (UDP|TCP)/);
    await expect(connections).toContainText(/\d+ (kbps|Mbps)/, { timeout: 20_000 });
    await expect(connections).toContainText(/\d+ ms/);
    await expect(page.locator('.big-figure')).not.toHaveText('0 B');
    await expect(page.getByRole('region', { name: 'Derselbe Monat anderswo' })).toContainText(/Cloudflare\s*hier in Betrieb/);
    for (const summary of await page.getByText('Als Tabelle').all()) await summary.click();
    await isAccessibleAndFits(page, 'inside, with a relayed connection');

    await page.getByRole('button', { name: /^Relay beenden: / }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await isAccessibleAndFits(page, 'question');
    await page.getByRole('dialog').getByRole('button', { name: 'Relay beenden' }).click();
    await expect(page.locator('.admin-said')).toContainText(/Das Relay ist für [0-9a-f]{8} beendet\./);
  });
});

test.describe('with a month in the books', () => {
  // Never near the limit, whatever day it is.
  relayed.use({ environment: { ADMIN_TOKEN: TOKEN, MONTHLY_BANDWIDTH_LIMIT_GB: '400' } });

  relayed('axe finds nothing on a wide screen, and a screen reader finds every part by its heading', async ({ people, tessro }) => {
    relayed.setTimeout(180_000);
    await tessro.remembers(monthOfUse(['cloudflare', 'coturn']));
    const { page } = await people.arrive({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
    const operator = new Operator(page);
    await operator.comes();
    await operator.isInside();
    await relayedPair(people);
    const connections = operator.part(/^Connections now$/);
    await expect(connections).toContainText('Relayed', { timeout: 30_000 });
    await expect(connections).toContainText(/\d+ (kbps|Mbps)/, { timeout: 20_000 });

    // A bar for each day so far, above and below, in the one of both drawings that is wide.
    const days = page.getByRole('img', { name: /^Day by day: / });
    await expect(days).toHaveClass(/\bwide\b/);
    const bars = days.locator('rect[class^=series-]');
    await expect.poll(async () => (await bars.count()) - 2 * new Date().getUTCDate()).toBeGreaterThanOrEqual(0);
    for (const summary of await page.getByText('As a table').all()) await summary.click();
    const rows = page.getByRole('region', { name: 'As a table: Day by day' }).getByRole('rowheader');
    await expect.poll(async () => (await rows.count()) - new Date().getUTCDate()).toBe(0);
    await isAccessibleAndFits(page, 'a month, on a wide screen');

    await expect(page.locator('body')).toMatchAriaSnapshot(`
      - main:
        - heading "Operations" [level=1]
        - status: Live
        - button "Lock the page"
        - region /^[A-Z][a-z]+ 20\\d\\d$/:
          - heading /^[A-Z][a-z]+ 20\\d\\d$/ [level=2]
          - 'img /of 400 GB relayed/'
          - heading "Day by day" [level=3]
          - 'img /^Day by day: .+ of 400 GB relayed/'
          - list:
            - listitem: /cloudflare/
            - listitem: /coturn/
          - group:
            - 'region "As a table: Day by day"':
              - table "Day by day"
        - region "Today by the hour (UTC)":
          - heading "Today by the hour (UTC)" [level=2]
          - img "Today by the hour (UTC)"
          - group:
            - 'region "As a table: Today by the hour (UTC)"':
              - table "Today by the hour (UTC)"
        - region "Providers":
          - heading "Providers" [level=2]
          - list:
            - listitem:
              - heading "cloudflare" [level=3]
              - 'button "Pause: cloudflare"'
        - region "Connections now":
          - heading "Connections now" [level=2]
          - list:
            - listitem:
              - heading /^Session [0-9a-f]{8} · Guest [0-9a-f]{8}$/ [level=3]
              - 'button /^End relay: [0-9a-f]{8}$/'
        - region "How connections fare":
          - heading "How connections fare" [level=2]
        - region "Sessions":
          - heading "Sessions" [level=2]
          - table
        - region "The same month elsewhere":
          - heading "The same month elsewhere" [level=2]
    `);
  });

  relayed('by keyboard a wrong token is said aloud, both tables are opened and a relay is ended', async ({ people, tessro }) => {
    relayed.setTimeout(120_000);
    await tessro.remembers(monthOfUse(['cloudflare']));
    const { guest } = await relayedPair(people);
    const { page } = await people.arrive();
    const operator = new Operator(page);
    await page.goto('/admin');
    await expect(operator.token).toBeEnabled();
    for (let i = 0; i < 3; i += 1) await page.keyboard.press('Tab');
    await expect(operator.token).toBeFocused();
    await page.keyboard.type('north-by-northwest');
    await page.keyboard.press('Enter');
    // What is said at once, and what is read with the field that has the focus.
    const refused = 'That is not the token. It stands as ADMIN_TOKEN in the server’s .env or environment.';
    await expect(page.getByRole('alert').filter({ hasText: refused })).toBeVisible();
    await expect(operator.token).toBeFocused();
    await expect(operator.token).toHaveAttribute('aria-invalid', 'true');
    await expect(operator.token).toHaveAccessibleDescription(new RegExp(`^${refused.replaceAll('.', '\\.')}`));
    await page.keyboard.type(TOKEN);
    await page.keyboard.press('Enter');
    await operator.isInside();

    for (const chart of ['Day by day', 'Today by the hour (UTC)']) {
      const table = page.getByRole('region', { name: `As a table: ${chart}` });
      await expect(table).toBeHidden();
      await pressesByKeyboard(page, /^As a table$/);
      await expect(table).toBeVisible();
      // It scrolls, so it has to be reached itself.
      await page.keyboard.press('Tab');
      await expect(table).toBeFocused();
    }

    await expect(page.getByRole('button', { name: /^End relay: / })).toBeVisible({ timeout: 30_000 });
    await pressesByKeyboard(page, /^End relay: /);
    await expect(operator.dialogue).toContainText(/End relaying for [0-9a-f]{8}\?/);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('button', { name: /^End relay: / })).toBeFocused();
    await page.keyboard.press('Enter');
    await pressesByKeyboard(page, /^End relay$/);
    await expect(operator.said).toHaveText(/^Relaying has ended for [0-9a-f]{8}\.$/);
    await expect(page.getByRole('heading', { name: 'Connections now' })).toBeFocused();
    await guest.reads(/whoever runs this site has ended relaying for you\. While your address is hidden/i, 20_000);
  });
});

test.describe('with a meter that is away', () => {
  relayed.use({
    environment: {
      ADMIN_TOKEN: TOKEN,
      PROVIDER_USAGE_EVERY: '10m',
      CLOUDFLARE_ACCOUNT_ID: 'account',
      CLOUDFLARE_ANALYTICS_TOKEN: 'analytics-of-the-test',
      // Where nobody listens.
      CLOUDFLARE_GRAPHQL_BASE: 'http://127.0.0.1:9/client/v4',
    },
  });

  relayed('the page says so aloud and why beside the provider, and axe finds nothing', async ({ people, tessro }) => {
    relayed.setTimeout(120_000);
    await tessro.remembers(monthOfUse(['cloudflare']));
    const { page } = await people.arrive({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
    const operator = new Operator(page);
    await operator.comes();
    await operator.isInside();
    const alert = page.getByRole('alert').filter({ hasText: 'The own count of cloudflare cannot be had. What is counted here goes on' });
    await expect(alert).toBeVisible({ timeout: 30_000 });
    await expect(operator.part(/^Providers$/)).toContainText(/Its meter\s*away: \S/);
    await isAccessibleAndFits(page, 'an alert');
  });
});

test.describe('for an operator in Auckland, with a server that is set up there', () => {
  test.use({ environment: { ADMIN_TOKEN: TOKEN, TZ: 'Pacific/Auckland' } });

  test('month, day and hour are those of UTC, as everywhere', async ({ people, tessro }) => {
    const at = new Date();
    const [day, hour] = [String(at.getUTCDate()), String(at.getUTCHours())];
    await tessro.remembers([{ at, bytes: 123_000_000, provider: 'coturn', session: '0123456789abcdef' }]);
    const { page } = await people.arrive({ timezoneId: 'Pacific/Auckland' });
    const operator = new Operator(page);
    await operator.comes();
    await operator.isInside();
    // Another hour at any time, for half of the day another day, and at the end of a month another month.
    expect(await page.evaluate((at) => new Date(at).getHours(), at.getTime())).not.toBe(at.getUTCHours());

    const month = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' }).format(at);
    await expect(page.getByRole('heading', { name: month, exact: true })).toBeVisible();
    const [days, hours] = [/^Day by day: /, /^Today by the hour \(UTC\)$/].map((name) => page.getByRole('img', { name }));
    const now = (chart: Locator) => chart.locator('text.today').textContent();
    // The hour may pass meanwhile.
    await expect.poll(async () => Number(await now(days!)) - new Date().getUTCDate()).toBe(0);
    await expect.poll(async () => Number(await now(hours!)) - new Date().getUTCHours()).toBe(0);
    for (const chart of [days!, hours!]) await expect(chart.locator('rect[class^=series-]').first()).toBeVisible();

    for (const summary of await page.getByText('As a table').all()) await summary.click();
    for (const [chart, slot] of [['Day by day', day], ['Today by the hour (UTC)', hour]] as const) {
      const rows = page.getByRole('region', { name: `As a table: ${chart}` }).getByRole('row').filter({ hasText: '123 MB' });
      await expect(rows).toHaveCount(1);
      await expect(rows.getByRole('rowheader')).toHaveText(slot);
    }
  });
});
