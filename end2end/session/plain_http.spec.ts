import { chromium } from '../harness/chromium';
import { nightTrain } from '../harness/film';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

// Browsers trust this machine's own address; by another name it is as foreign as any in the house.
const name = 'cinema.test';
test.use({ launchOptions: chromium({ alias: name }) });

test('a page that came by plain HTTP says what its browser does not let it do, offers text to copy by hand, and streams all the same', async ({ people, tessro }) => {
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
  const panel = await guest.openFigures();
  await panel.getByRole('button', { name: 'Copy for support' }).click();
  const text = panel.getByRole('textbox', { name: 'Text for support' });
  expect(await text.evaluate((field: HTMLTextAreaElement) => field.selectionEnd - field.selectionStart)).toBeGreaterThan(40);
  await expect(panel.getByRole('status')).toHaveText('');
});
