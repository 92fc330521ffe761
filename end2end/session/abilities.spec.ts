import { longEvening, nightTrain } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

test('the picture leaves the page for a small window of its own, and comes back', async ({ people }) => {
  const { guest } = await people.watching(nightTrain);
  const isOutside = () => guest.page.evaluate(() => document.pictureInPictureElement === document.querySelector('video'));
  const outside = guest.page.getByRole('button', { name: 'Picture in picture' });
  await guest.picture.hover();
  await outside.click();
  await expect.poll(isOutside).toBe(true);
  await seesFrames(guest.stream);
  await guest.picture.hover();
  await outside.click();
  await expect.poll(isOutside).toBe(false);
  await seesFrames(guest.stream);
});

test('the text for support is copied, and holds no name, code or address', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await guest.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const panel = await guest.openFigures();
  await panel.getByRole('button', { name: 'Copy for support' }).click();
  await expect(panel.getByRole('status')).toHaveText('Copied.');
  const text = await guest.page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^Tessro \d/);
  expect(text).toMatch(/Path: Direct/);
  expect(text).toMatch(/Picture: 1280 × 720, \d+ fps/);
  for (const secret of ['Ada', 'Bob', nightTrain.title, host.sessionCode, '127.0.0.1']) expect(text).not.toContain(secret);
  expect(text).not.toMatch(/\d+\.\d+\.\d+\.\d+|[0-9a-f]+:[0-9a-f:]+:[0-9a-f]+|\.local/i);
});

/** Drops a file on the page's chooser, as somebody who carries it there with the mouse. */
async function carriesFilm({ page, film }: Person, file: string): Promise<void> {
  const box = (await film.boundingBox())!;
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: box.x + box.width / 2, y: box.y + box.height / 2, data });
  }
  await session.detach();
}

test('a film carried onto the page is streamed, and its handle is kept for a reload', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await carriesFilm(host, longEvening.file);
  await seesFrames(guest.stream);
  await host.page.reload();
  await expect(host.page.getByRole('button', { name: 'Go on with “Long Evening”' })).toBeVisible();
});
