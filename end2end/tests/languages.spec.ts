import type { Page } from '@playwright/test';
import { longEvening, nightTrain } from '../harness/film';
import type { Person } from '../harness/people';
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

  const guest = await people.arrive({ locale: 'de-AT' });
  await guest.page.goto(visitor.invite);
  await guest.page.getByRole('button', { name: 'Mitschauen' }).click();
  for (const person of [visitor, guest]) {
    await person.reads(/Gast\d{3}/);
    await person.doesNotRead(/Guest/);
  }
  const reader = await people.guest(visitor);
  await expect(reader.participants.getByRole('listitem').nth(1)).toContainText(/Guest\d{3}/);

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

/** Words that English sentences can hardly do without, and none of our German ones has. */
const english = new RegExp(
  `\\b(${[
    'the|your|you|are|and|or|to|with|from|for|not|this|that|has|have|cannot|will|its|here|when|if|before|again|still|only|off|into',
    'nobody|everyone|everybody|somebody|who|which|session|sessions|waiting|paused|playing|leave|left|join|create|copy|choose|invite',
    'show|hide|watch|watching|sound|picture|screen|camera|connection|connected|password|address|people|participants|message|send',
    'said|subtitles|volume|quality|lock|locked|remove|removed|reload|speed|mute|stop|sharing|keyboard|shortcuts',
  ].join('|')})\\b`,
  'i',
);

/** Everything that a page says, to the eye and to screen readers, line by line. */
function said(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const named = ['aria-label', 'aria-description', 'aria-valuetext', 'title', 'placeholder', 'alt'].flatMap((name) =>
      [...document.querySelectorAll(`[${name}]`)].map((element) => element.getAttribute(name)!),
    );
    return [document.title, ...document.body.innerText.split('\n'), ...named];
  });
}

test('no state of the German session page has an English word', async ({ people, tessro }) => {
  test.slow();
  const [host, guest] = [await people.arrive({ locale: 'de-DE' }), await people.arrive({ locale: 'de-DE' })];
  const button = ({ page }: Person, name: string | RegExp) => page.getByRole('button', { name });
  const dialogue = async (person: Person, opens: string | RegExp, name: string) => {
    await button(person, opens).click();
    await expect(person.page.getByRole('dialog', { name })).toBeVisible();
  };
  const shut = async ({ page }: Person) => {
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  };
  const away = /nicht zu erreichen/;
  const states: [string, () => Promise<void>][] = [
    ['a new session', async () => {
      await host.home();
      await host.page.getByRole('textbox', { name: 'Dein Name' }).fill('Ada');
      await host.page.getByLabel('Passwort').fill('popcorn');
      await button(host, 'Runde eröffnen').click();
      await expect(button(host, 'Runde verlassen')).toBeVisible();
    }],
    ['the square code', () => dialogue(host, 'QR-Code zeigen', 'QR-Code mit dem Einladungslink')],
    ['a guest at the door', async () => {
      await shut(host);
      await guest.page.goto(host.invite);
      await expect(button(guest, 'Mitschauen')).toBeEnabled();
    }],
    ['a wrong password', async () => {
      await guest.page.getByRole('textbox', { name: 'Dein Name' }).fill('Bob');
      await guest.page.getByLabel('Passwort').fill('peanuts');
      await button(guest, 'Mitschauen').click();
      await guest.reads(/ein anderes Passwort/);
    }],
    ['a guest who waits for a film', async () => {
      await guest.page.getByLabel('Passwort').fill('popcorn');
      await button(guest, 'Mitschauen').click();
      await expect(button(guest, 'Runde verlassen')).toBeVisible();
    }],
    ['a film that plays', async () => {
      await host.page.getByLabel('Film auswählen').setInputFiles(longEvening.file);
      await seesFrames(guest.picture);
      await guest.reads(/Läuft/);
    }],
    ['what the connection is like', () => dialogue(guest, /^Verbindung/, 'Verbindung')],
    ['the keys', async () => {
      await shut(guest);
      await host.picture.hover();
      await dialogue(host, 'Tastenkürzel', 'Tastenkürzel');
    }],
    ['what a host may do with a guest', async () => {
      await shut(host);
      await dialogue(host, 'Optionen für Bob', 'Bob');
    }],
    ['a film that stands', async () => {
      await shut(host);
      await host.pause();
      await guest.reads(/Vom Host angehalten/);
    }],
    ['a chat and a locked door', async () => {
      const message = guest.page.getByRole('textbox', { name: 'Nachricht' });
      await message.fill('Hallo!');
      await message.press('Enter');
      await host.reads(/Hallo!/);
      const lock = host.page.getByRole('switch', { name: 'Runde abschließen' });
      await lock.click();
      await expect(lock).toBeChecked();
    }],
    ['a server that is away', async () => {
      await tessro.kill();
      for (const person of [host, guest]) await person.reads(away);
    }],
    ['a server that is back', async () => {
      await tessro.startAgain();
      for (const person of [host, guest]) await person.doesNotRead(away, 20_000);
    }],
    ['a guest who left', async () => {
      await button(guest, 'Runde verlassen').click();
      await guest.reads(/Du hast die Runde verlassen/);
    }],
    ['a session that is over', async () => {
      await button(host, 'Runde verlassen').click();
      await host.reads(/für alle beendet/);
    }],
  ];
  for (const [what, reach] of states) {
    await test.step(what, reach);
    for (const { page } of [host, guest]) {
      expect.soft((await said(page)).filter((line) => english.test(line)), `${what}: lines with English words`).toEqual([]);
    }
  }
});
