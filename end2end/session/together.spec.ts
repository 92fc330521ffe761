import readCode from 'jsqr';
import { longEvening } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

const log = ({ page }: Person) => page.getByRole('log', { name: 'Chat' });

test('what is said is read by everyone, with names and times, and by whoever comes later', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const bob = await people.guest(host, { name: 'Bob' });
  await host.says('Popcorn ready?');
  await bob.message.fill('Two lines:');
  await bob.message.press('Shift+Enter');
  await bob.message.pressSequentially('yes.');
  await bob.message.press('Enter');
  await expect(bob.message).toHaveValue('');
  const cleo = await people.guest(host, { name: 'Cleo' });
  for (const person of [host, bob, cleo]) {
    await expect(log(person)).toContainText(/Ada\s*\d{1,2}:\d\d\s*Popcorn ready\?/, { useInnerText: true });
    await expect(log(person)).toContainText('Two lines:\nyes.');
    await expect(log(person)).not.toContainText('https');
  }
  await cleo.says('https://example.com is <b>no link</b>');
  await expect(log(host)).toContainText('https://example.com is <b>no link</b>');
  await expect(log(host).getByRole('link')).toHaveCount(0);
});

test('what was said while the chat was shut or scrolled away is marked, until it is seen', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const bob = await people.guest(host, { name: 'Bob' });
  await bob.chat.click();
  await expect(bob.message).toBeHidden();
  await host.says('one');
  await host.says('two');
  await expect(bob.chat).toHaveText(/2 new/, { useInnerText: true });
  await bob.chat.click();
  await expect(bob.message).toBeFocused();
  await expect(bob.chat).not.toHaveText(/new/, { useInnerText: true });

  for (let i = 0; i < 20; i += 1) await host.says(`line ${i}`);
  await expect(log(bob)).toContainText('line 19');
  await expect(log(bob).getByText('line 19')).toBeInViewport();
  await log(bob).evaluate((element) => element.scrollTo(0, 0));
  await host.says('down here');
  await expect(bob.chat).toHaveText(/1 new/, { useInnerText: true });
  await log(bob).evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await expect(bob.chat).not.toHaveText(/new/, { useInnerText: true });
});

test('reactions fly over everybody’s picture and are gone again', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const bob = await people.guest(host, { name: 'Bob' });
  const cleo = await people.guest(host, { name: 'Cleo' });
  await host.choose(longEvening);
  await seesFrames(bob.stream);
  await bob.page.getByRole('button', { name: 'Applause' }).click();
  for (const person of [host, bob, cleo]) await expect(person.page.locator('.flying')).toContainText('Bob');
  // Said once, for whoever does not see it.
  await expect(host.page.getByRole('status').getByText('Bob: Applause')).toBeAttached();
  for (const person of [host, bob, cleo]) await expect(person.page.locator('.flying')).toHaveCount(0);
});

test('the list says who is still catching up', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const bob = await people.guest(host, { name: 'Bob' });
  await host.choose(longEvening);
  await seesFrames(bob.stream);
  await expect(host.participant('Bob')).not.toContainText('catching up');
  // A guest without a way to connect.
  const cleo = await people.arrive();
  await cleo.page.addInitScript(() => {
    RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => undefined);
  });
  await cleo.joinByLink(host.invite, { name: 'Cleo' });
  await expect(host.participant('Cleo')).toContainText('catching up');
});

test('a locked session takes nobody new, until it is opened again', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const lock = host.page.getByRole('switch', { name: 'Lock session' });
  await lock.click();
  await expect(lock).toBeChecked();
  const bob = await people.arrive();
  await bob.page.goto(host.invite);
  await bob.asksIn({ name: 'Bob' });
  await bob.reads(/locked/);
  await lock.click();
  await expect(lock).not.toBeChecked();
  await bob.asksIn();
  await bob.isInside();
});

test('a host removes one guest; the other stays, and the focus is not lost', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const bob = await people.guest(host, { name: 'Bob' });
  const cleo = await people.guest(host, { name: 'Cleo' });
  await host.page.getByRole('button', { name: 'Options for Bob' }).click();
  const dialogue = host.page.getByRole('dialog', { name: 'Bob' });
  await dialogue.getByRole('button', { name: 'Remove: Bob' }).click();
  await bob.reads(/You were removed/);
  await expect(dialogue).toBeHidden();
  await expect(host.page.getByRole('heading', { name: 'Participants' })).toBeFocused();
  for (const person of [host, cleo]) await expect(person.participants.getByRole('listitem')).toHaveCount(2);
  await expect(cleo.page.getByRole('button', { name: /Options/ })).toHaveCount(0);
});

test('a host hands the session over, and the new host streams', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const bob = await people.guest(host, { name: 'Bob' });
  const cleo = await people.guest(host, { name: 'Cleo' });
  await host.choose(longEvening);
  await seesFrames(cleo.stream);
  await host.page.getByRole('button', { name: 'Options for Bob' }).click();
  await host.page.getByRole('button', { name: 'Make host: Bob' }).click();
  await expect(bob.film).toBeEnabled();
  await expect(bob.participant('Bob')).toContainText('Host');
  await host.reads(/waiting for the host/i);
  await bob.choose(longEvening);
  for (const person of [host, cleo]) await seesFrames(person.stream);
});

test('the invite is a square code that a camera reads', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const link = await host.inviteLink();
  await host.page.getByRole('button', { name: 'Show QR code' }).click();
  const code = host.page.getByRole('img', { name: 'QR code of the invite link' });
  await expect(code).toBeVisible();
  // Not every Chromium reads codes itself, so its pixels are read here.
  const side = 400;
  const pixels = await code.evaluate(async (svg, side) => {
    const image = new Image();
    const source = svg.cloneNode(true) as SVGElement;
    source.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    source.setAttribute('width', String(side));
    source.setAttribute('height', String(side));
    image.src = `data:image/svg+xml,${encodeURIComponent(source.outerHTML)}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = side;
    const context = canvas.getContext('2d')!;
    context.fillStyle = '#fff';
    context.fillRect(0, 0, side, side);
    context.drawImage(image, 0, 0, side, side);
    return [...context.getImageData(0, 0, side, side).data];
  }, side);
  expect(readCode(Uint8ClampedArray.from(pixels), side, side)?.data).toBe(link);
  await host.page.keyboard.press('Escape');
  await expect(host.page.getByRole('button', { name: 'Show QR code' })).toBeFocused();
});
