import { longEvening, nightTrain, redHarbour, type Film } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames, seesHue } from '../harness/watching';

/** The film runs, and the host goes on to 1:15. */
async function seeksAhead(host: Person, guest: Person): Promise<void> {
  await seesFrames(guest.stream);
  await host.seek(75);
  await guest.reads(/1:1[5-9]/);
}

for (const state of ['playing', 'paused'] as const) {
  test(`a host who reloads while the film is ${state} chooses it again, and it goes on there`, async ({ people }) => {
    const host = await people.host();
    const guest = await people.guest(host);
    await host.choose(longEvening);
    await seeksAhead(host, guest);
    if (state === 'paused') {
      await host.pause();
      await guest.reads(/\bPaused\b/);
    }
    await host.page.reload();
    await host.isInside();
    await host.reads(/Choose “Long Evening” again to go on at 1:1\d\./);
    await guest.reads(/The host is choosing “Long Evening” again\. It will go on at 1:1\d\./);

    await host.choose(longEvening);
    await expect.poll(() => host.position()).toBeGreaterThan(74);
    expect(await host.position()).toBeLessThan(90);
    await expect.poll(() => host.isPaused()).toBe(state === 'paused');
    await guest.reads(state === 'paused' ? /\bPaused\b/ : /\bStreaming\b/);
    await guest.reads(/1:[12]\d/);
    await host.doesNotRead(/again to go on/);
    if (state === 'playing') await seesFrames(guest.stream);
  });
}

test('another film chosen after a reload begins at its beginning', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(longEvening);
  await seeksAhead(host, guest);
  await host.page.reload();
  await host.reads(/again to go on/);
  await host.choose(redHarbour);
  await seesHue(guest.stream, 'red');
  await guest.reads(/0:0\d/);
  await host.doesNotRead(/again to go on/);
});

test('nobody is asked for a film of a session that is over', async ({ people }) => {
  const host = await people.host();
  await host.choose(nightTrain);
  await seesFrames(host.ownVideo);
  await host.leave.click();
  await host.createSession();
  await host.page.reload();
  await host.isInside();
  await host.doesNotRead(/again to go on/);
});

/**
 * Lets `showOpenFilePicker` give out a handle from the browser's own file system, where this film is put: the real picker
 * is a window that no test can press in.
 */
async function picks(host: Person, { file, title }: Film): Promise<void> {
  await host.page.addInitScript((name) => {
    Object.assign(window, {
      showOpenFilePicker: async () => [await (await navigator.storage.getDirectory()).getFileHandle(name)],
    });
  }, `${title}.mp4`);
  await host.home();
  const chooser = await host.page.evaluateHandle(() => {
    const input = document.createElement('input');
    input.type = 'file';
    return document.body.appendChild(input);
  });
  await chooser.asElement()!.setInputFiles(file);
  await chooser.evaluate(async (input) => {
    const [film] = input.files!;
    const handle = await (await navigator.storage.getDirectory()).getFileHandle(film!.name, { create: true });
    const writable = await handle.createWritable();
    await writable.write(film!);
    await writable.close();
    input.remove();
  });
}

test('a film opened with a handle goes on after a reload at one press', async ({ people }) => {
  const host = await people.arrive();
  await picks(host, longEvening);
  await host.createSession();
  const guest = await people.guest(host);
  await host.page.getByRole('button', { name: 'Open from disk…' }).click();
  await seeksAhead(host, guest);
  await host.page.reload();
  const goOn = host.page.getByRole('button', { name: 'Go on with “Long Evening”' });
  await goOn.click();
  await expect.poll(() => host.position()).toBeGreaterThan(74);
  await guest.reads(/1:[12]\d/);
  await seesFrames(guest.stream);
  await expect(goOn).toBeHidden();
});

test('a handle that may not be used any more leads back to choosing', async ({ people }) => {
  const host = await people.arrive();
  await picks(host, longEvening);
  await host.page.addInitScript(() => {
    Object.assign(FileSystemHandle.prototype, { requestPermission: () => Promise.resolve('denied') });
  });
  await host.createSession();
  await host.page.getByRole('button', { name: 'Open from disk…' }).click();
  await seesFrames(host.ownVideo);
  await host.page.reload();
  const goOn = host.page.getByRole('button', { name: 'Go on with “Long Evening”' });
  await goOn.click();
  await host.reads(/does not open the film again\. Choose it once more/);
  await expect(goOn).toBeHidden();
  await host.choose(longEvening);
  await seesFrames(host.ownVideo);
});

test('what the browser keeps of a film is a handle, never the film', async ({ people }) => {
  const host = await people.arrive();
  await picks(host, nightTrain);
  await host.createSession();
  await host.page.getByRole('button', { name: 'Open from disk…' }).click();
  await seesFrames(host.ownVideo);
  const kept = () =>
    host.page.evaluate(async () => {
      const done = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error!);
        });
      const database = await done(indexedDB.open('tessro'));
      const all: unknown[] = await done(database.transaction('handles').objectStore('handles').getAll());
      database.close();
      return all.map((value) => (value as object).constructor.name);
    });
  expect(await kept()).toEqual(['FileSystemFileHandle']);
  await host.leave.click();
  await expect.poll(kept).toEqual([]);
});

test.describe('a host whose place is kept for ten seconds', () => {
  test.use({ environment: { HOST_GRACE: '10s' } });
  test('is waited for with a sentence, comes back in time, and is waited for no longer than that', async ({ people }) => {
    const host = await people.host();
    const guest = await people.guest(host);
    const { invite } = host;
    await host.choose(longEvening);
    await seesFrames(guest.stream);
    const waits = /The host's connection is gone\. We keep their place and wait\./;
    await host.page.goto('about:blank');
    await guest.reads(waits);
    await host.page.goto(invite);
    await host.isInside();
    await guest.doesNotRead(waits);
    await host.choose(longEvening);
    await seesFrames(guest.stream);

    const left = Date.now();
    await host.page.goto('about:blank');
    await guest.reads(waits);
    await guest.reads(/The host did not come back, so the session is over\./, 20_000);
    expect(Date.now() - left, 'ms').toBeGreaterThan(9_000);
  });
});
