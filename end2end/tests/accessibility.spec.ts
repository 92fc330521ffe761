import AxeBuilder from '@axe-core/playwright';
import { broken, redHarbour } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

async function isAccessible(person: Person, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page: person.page }).analyze();
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target).join('; ')})`);
  expect(found, what).toEqual([]);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on either page, ${colorScheme}`, async ({ people }) => {
    // A colour half-way through its transition is no colour of the design.
    const theme = { colorScheme, reducedMotion: 'reduce' } as const;
    const visitor = await people.arrive(theme);
    await visitor.home();
    await expect(visitor.create).toBeEnabled();
    await isAccessible(visitor, 'home');

    const host = await people.host({ name: 'Ada', password: 'correct horse' }, theme);
    await isAccessible(host, 'host, before a film');

    const guest = await people.arrive(theme);
    await guest.page.goto(host.invite);
    await expect(guest.join).toBeEnabled();
    await isAccessible(guest, 'join form');
    await guest.asksIn({ name: 'Bob', password: 'battery staple' });
    await guest.reads(/another password/i);
    await isAccessible(guest, 'join form with a wrong password');
    await guest.asksIn({ password: 'correct horse' });
    await guest.isInside();
    await isAccessible(guest, 'guest, before a film');

    await host.choose(broken);
    await host.reads(new RegExp(broken.title));
    await isAccessible(host, 'host, with a file that does not play');
    await host.choose(redHarbour);
    await seesFrames(guest.stream);
    await isAccessible(host, 'host');
    await isAccessible(guest, 'guest');

    await host.pause();
    await guest.reads(/\bPaused\b/);
    await isAccessible(guest, 'guest, paused');
    await host.leave.click();
    await guest.reads(/the host has ended the session/i);
    await isAccessible(guest, 'guest, after the end');
  });
}
