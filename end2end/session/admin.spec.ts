import type { Page } from '@playwright/test';
import { isAccessible } from '../harness/axe';
import { longEvening } from '../harness/film';
import { Operator, TOKEN } from '../harness/operator';
import { expect, relayed, test } from '../harness/test';

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

test.describe('with two providers', () => {
  test.use({ environment: providers });

  test('a paused provider is not asked, over a restart too, until it is let go on', async ({ people, tessro }) => {
    const { page } = await people.arrive();
    const operator = new Operator(page);
    await operator.comes();
    await operator.isInside();
    const asked = async () => ((await (await fetch(`${tessro.origin}/api/turn-credentials`)).json()) as { provider: string }).provider;
    expect(await asked()).toBe('coturn');
    await page.getByRole('button', { name: 'Pause: coturn' }).click();
    await operator.dialogue.getByRole('button', { name: 'Pause' }).click();
    await expect(operator.said).toHaveText('coturn is paused.');
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
    await pressesByKeyboard(page, /^Pause$/);
    await expect(operator.said).toHaveText('coturn is paused.');
    await expect(page.getByRole('button', { name: 'Let it go on: coturn' })).toBeFocused();

    await pressesByKeyboard(page, /^End session: /);
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

    const host = await people.host({ name: 'Ada' });
    const guest = await people.arrive();
    await guest.joinByLink(host.invite, { name: 'Bob' });
    await guest.hideMyAddress();
    await host.choose(longEvening);
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
