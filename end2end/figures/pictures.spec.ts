import path from 'node:path';
import { coastAtNight } from '../harness/film';
import { Person } from '../harness/people';
import { test } from '../harness/test';
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
