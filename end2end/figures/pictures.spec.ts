import path from 'node:path';
import { coastAtNight, longEvening } from '../harness/film';
import { Operator, TOKEN } from '../harness/operator';
import { Person } from '../harness/people';
import { expect, relayed, test } from '../harness/test';
import { monthOfUse } from '../harness/usage';
import { seesFrames } from '../harness/watching';

/** Pictures of the pages as people see them, for the README and for looking at: `script/bench figures pictures`. */
const docs = path.join(__dirname, '..', '..', 'docs');
const desk = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };

test('pictures of an evening', async ({ browser, tessro }, info) => {
  const picture = (person: Person, name: string) => person.page.screenshot({ path: info.outputPath(`${name}.png`) });
  const arrive = (options: object) => Person.arrive(browser, tessro.origin, options);
  const home = await arrive({ ...desk, colorScheme: 'light' });
  await home.home();
  await picture(home, 'home-light');
  await home.page.emulateMedia({ colorScheme: 'dark' });
  await picture(home, 'home-dark');

  const host = await arrive({ ...desk, colorScheme: 'dark' });
  await host.createSession({ name: 'Ada' });
  await picture(host, 'host-waiting');
  const [bob, cleo] = [await arrive({ ...desk, colorScheme: 'light' }), await arrive({ ...phone, colorScheme: 'dark' })];
  await bob.page.goto(host.invite);
  await picture(bob, 'join-form');
  await bob.joinByLink(host.invite, { name: 'Bob' });
  await picture(bob, 'guest-waiting');
  await cleo.joinByLink(host.invite, { name: 'Cleo' });
  await host.choose(coastAtNight);
  for (const guest of [bob, cleo]) await seesFrames(guest.stream, 60);
  await host.page.screenshot({ path: path.join(docs, 'session.png') });
  await picture(bob, 'guest-streaming');
  await picture(cleo, 'guest-phone');
  await bob.page.emulateMedia({ colorScheme: 'dark' });
  await host.pause();
  await bob.reads(/Paused/);
  await picture(bob, 'guest-paused');
  await host.page.setViewportSize(phone.viewport);
  await picture(host, 'host-phone');
  await host.leave.click();
  await bob.reads(/ended the session/);
  await picture(bob, 'guest-ended');
  for (const person of [home, host, bob, cleo]) await person.context.close();
});

relayed.describe("the operator's page", () => {
  relayed.use({ environment: { ADMIN_TOKEN: TOKEN, MONTHLY_BANDWIDTH_LIMIT_GB: '400' } });

  relayed('pictures of a month, with somebody at a relay', async ({ people, tessro }, info) => {
    await tessro.remembers(monthOfUse(['cloudflare', 'coturn']));
    const host = await people.host({ name: 'Ada' });
    const guest = await people.guest(host, { name: 'Bob' });
    await guest.hideMyAddress();
    await host.choose(longEvening);
    await seesFrames(guest.stream, 60);
    for (const [device, options] of Object.entries({ desk, phone })) {
      const { page } = await people.arrive({ ...options, colorScheme: 'light', reducedMotion: 'reduce' });
      const picture = (name: string) =>
        page.screenshot({ path: info.outputPath(`admin-${device}-${name}.png`), fullPage: true });
      await page.goto('/admin');
      const operator = new Operator(page);
      await expect(operator.token).toBeEnabled();
      await picture('door');
      await operator.types(TOKEN);
      await operator.isInside();
      await expect(page.getByRole('img', { name: /^Day by day: / })).toBeVisible();
      await expect(operator.part(/^Connections now$/)).toContainText(/\d+ (kbps|Mbps)/, { timeout: 30_000 });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await picture(colorScheme);
      }
    }
  });
});
