import { nightTrain, redHarbour, threeSeconds } from '../harness/film';
import type { Person } from '../harness/people';
import { onTheSameConnections } from '../harness/same';
import { expect, test } from '../harness/test';
import { seesFrames, seesHue } from '../harness/watching';

/** Counts the object URLs of files that are held: each keeps a film open. */
async function countUrls(person: Person): Promise<() => Promise<number>> {
  await person.page.addInitScript(() => {
    const held = new Set<string>();
    Object.assign(window, { heldUrls: held });
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob: Blob) => {
      const url = createObjectURL.call(URL, blob);
      if (blob instanceof File) held.add(url);
      return url;
    };
    URL.revokeObjectURL = (url: string) => {
      held.delete(url);
      revokeObjectURL.call(URL, url);
    };
  });
  return () => person.page.evaluate(() => (window as Window & { heldUrls?: Set<string> }).heldUrls!.size);
}

test('several films chosen at once follow each other without a new connection, and only one is held', async ({ people }) => {
  const host = await people.arrive();
  const held = await countUrls(host);
  await host.createSession();
  const guest = await people.guest(host);
  await host.film.setInputFiles([threeSeconds.file, redHarbour.file]);
  await seesHue(guest.stream, 'green');
  await expect(host.films.getByRole('listitem')).toHaveCount(2);
  await expect(host.films.locator('[aria-current=true]')).toContainText(threeSeconds.title);
  await onTheSameConnections([host, guest], async () => {
    await guest.reads(/the film has ended/i);
    await host.reads(new RegExp(`“${redHarbour.title}” starts in a moment`));
    await seesHue(guest.stream, 'red');
    await seesFrames(guest.stream);
    await guest.reads(new RegExp(redHarbour.title));
  });
  await expect(host.films.locator('[aria-current=true]')).toContainText(redHarbour.title);
  expect(await held(), 'films held').toBe(1);
});

test('films are added, played out of turn and removed', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(nightTrain);
  await seesHue(guest.stream, 'motley');
  await expect(host.films).toBeHidden();
  await host.moreFilms.setInputFiles([threeSeconds.file, redHarbour.file]);
  await expect(host.films.getByRole('listitem')).toHaveText([/Night Train/, /Three Seconds/, /Red Harbour/]);
  await onTheSameConnections([host, guest], async () => {
    await host.films.getByRole('button', { name: `Play now: ${redHarbour.title}` }).click();
    await seesHue(guest.stream, 'red');
    await host.films.getByRole('button', { name: `Remove: ${threeSeconds.title}` }).click();
    await expect(host.films.getByRole('listitem')).toHaveText([/Night Train/, /Red Harbour/]);
    await host.films.getByRole('button', { name: `Play now: ${nightTrain.title}` }).click();
    await seesHue(guest.stream, 'motley');
    await seesFrames(guest.stream);
  });
});

test('a film chosen while a list waits takes the place of the one that plays, and the list goes on after it', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.film.setInputFiles([nightTrain.file, redHarbour.file]);
  await seesHue(guest.stream, 'motley');
  await host.choose(threeSeconds);
  await seesHue(guest.stream, 'green');
  await expect(host.films.getByRole('listitem')).toHaveText([/Three Seconds/, /Red Harbour/]);
  await seesHue(guest.stream, 'red', 15_000);
});
