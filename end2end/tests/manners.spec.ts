import { nightTrain } from '../harness/film';
import { expect, test } from '../harness/test';

test('no page asks anybody but its own server for anything', async ({ people, tessro }) => {
  const { host, guest } = await people.watching(nightTrain);
  const { host: own } = new URL(tessro.origin);
  for (const person of [host, guest]) {
    expect(person.requests.length).toBeGreaterThan(0);
    const others = person.requests.filter((address) => !/^(data|blob):/.test(address) && new URL(address).host !== own);
    expect(others).toEqual([]);
  }
});

test.describe('an app that breaks', () => {
  test.use({ faultless: false });

  test('says so in plain words, without the app', async ({ people }) => {
    const person = await people.arrive();
    // The app finds a page that is not the one it knows, as an extension or a proxy may leave it: hydration panics.
    await person.page.route('/', async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replace(/<main([^>]*)>[\s\S]*<\/main>/, '<main$1>Nothing here.</main>');
      await route.fulfill({ response: answer, body });
    });
    await person.page.goto('/');
    await expect(person.page.locator('#broken')).toBeVisible();
    await expect(person.page.locator('#broken')).toContainText('Something broke. Reload to rejoin.');
  });

  for (const file of ['tessro.js', 'tessro.wasm']) {
    test(`says so where ${file} cannot be had, and comes to life after a reload`, async ({ people }) => {
      const person = await people.arrive();
      await person.page.route(`**/${file}`, (route) => route.abort());
      await person.home();
      await person.reads(/something broke/i);
      await person.page.unrouteAll();
      await person.page.getByRole('link', { name: 'Reload' }).click();
      await expect(person.create).toBeEnabled();
      await person.doesNotRead(/something broke/i);
    });
  }
});
