import { nightTrain } from '../harness/film';
import { expect, test } from '../harness/test';
import { isMarked, mark, seesFrames, watchGaps, gaps } from '../harness/watching';

test('whoever asks for German gets a German page, from the server and in the browser', async ({ people, tessro }) => {
  const visitor = await people.arrive({ locale: 'de-AT' });
  await visitor.home();
  await expect(visitor.page.locator('html')).toHaveAttribute('lang', 'de');
  const create = visitor.page.getByRole('button', { name: 'Runde eröffnen' });
  await expect(create).toBeEnabled();
  await visitor.page.getByRole('textbox', { name: 'Dein Name' }).fill('Ada');
  await create.click();
  await visitor.page.waitForURL(/\/s\/[^/?#]+$/);
  await expect(visitor.page).toHaveTitle(/^Runde \w{6} · Tessro$/);
  await visitor.reads(/Verschick den Einladungslink/);
  await visitor.doesNotRead(/\b(session|your|the)\b/i);

  const page = await fetch(tessro.origin, { headers: { 'accept-language': 'de', cookie: 'tessro-language=en' } });
  expect(page.headers.get('vary')).toMatch(/accept-language/i);
  expect(await page.text()).toContain('lang="en"');
});

test('the language changes while a film runs, nothing else does, and it stays after a reload', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  for (const person of [host, guest]) {
    await mark(person.picture);
    await watchGaps(person.picture);
    await person.page.getByLabel('Language').selectOption('Deutsch');
    await expect(person.page.locator('html')).toHaveAttribute('lang', 'de');
    await expect(person.page.getByRole('button', { name: 'Runde verlassen' })).toBeVisible();
    await expect(person.page).toHaveTitle(/^Runde/);
    await seesFrames(person.picture);
    expect(await isMarked(person.picture)).toBe(true);
    expect((await gaps(person.picture)).longestMs).toBeLessThan(1_500);
  }
  await guest.reads(/Läuft/);
  await guest.page.reload();
  await expect(guest.page.locator('html')).toHaveAttribute('lang', 'de');
  await seesFrames(guest.page.getByLabel('Film vom Host'));
  await guest.page.getByLabel('Sprache').selectOption('English');
  await seesFrames(guest.stream);
  await expect(guest.leave).toBeVisible();
});

test('refusals are said in the language of the page', async ({ people }) => {
  const host = await people.host({ password: 'correct horse' });
  const guest = await people.arrive({ locale: 'de-DE' });
  await guest.page.goto(host.invite);
  await guest.page.getByLabel('Passwort').fill('battery staple');
  await guest.page.getByRole('button', { name: 'Mitschauen' }).click();
  await guest.reads(/ein anderes Passwort/);
});
