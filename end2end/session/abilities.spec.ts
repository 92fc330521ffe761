import { chromium } from '../harness/chromium';
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

/** The panel behind the badge, opened. */
async function openFigures({ page }: Person) {
  await page.getByRole('button', { name: /^Connection/ }).click();
  return page.getByRole('dialog', { name: 'Connection' });
}

test('the text for support is copied, and holds no name, code or address', async ({ people }) => {
  const { host, guest } = await people.watching(nightTrain);
  await guest.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const panel = await openFigures(guest);
  await panel.getByRole('button', { name: 'Copy for support' }).click();
  await expect(panel.getByRole('status')).toHaveText('Copied.');
  const text = await guest.page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^Tessro \d/);
  expect(text).toMatch(/Path: Direct/);
  expect(text).toMatch(/Picture: 1280 × 720, \d+ fps/);
  for (const secret of ['Ada', 'Bob', nightTrain.title, host.sessionCode, '127.0.0.1']) expect(text).not.toContain(secret);
  expect(text).not.toMatch(/\d+\.\d+\.\d+\.\d+|[0-9a-f]+:[0-9a-f:]+:[0-9a-f]+|\.local/i);
});

test.describe('a page that came by plain HTTP', () => {
  const name = 'cinema.test';
  test.use({ launchOptions: chromium({ alias: name }) });

  test('says what its browser does not let it do, offers text to copy by hand, and streams all the same', async ({ people, tessro }) => {
    const baseURL = `http://${name}:${new URL(tessro.origin).port}`;
    const host = await people.arrive({ baseURL });
    await host.createSession({ name: 'Ada' });
    expect(await host.page.evaluate(() => [isSecureContext, 'clipboard' in navigator])).toEqual([false, false]);
    await host.reads(/came without HTTPS.*copy it by hand/);
    await host.copyInvite.click();
    const selected = await host.page.getByRole('textbox', { name: 'Invite link' }).evaluate(
      (field: HTMLInputElement) => field.value.slice(field.selectionStart!, field.selectionEnd!),
    );
    expect(selected).toBe(await host.inviteLink());
    expect(selected).toContain(`${baseURL}/s/`);
    const guest = await people.arrive({ baseURL });
    await guest.joinByLink(selected, { name: 'Bob' });
    await host.choose(nightTrain);
    await seesFrames(guest.stream);
    const panel = await openFigures(guest);
    await panel.getByRole('button', { name: 'Copy for support' }).click();
    const text = panel.getByRole('textbox', { name: 'Text for support' });
    expect(await text.evaluate((field: HTMLTextAreaElement) => field.selectionEnd - field.selectionStart)).toBeGreaterThan(40);
    await expect(panel.getByRole('status')).toHaveText('');
  });
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
