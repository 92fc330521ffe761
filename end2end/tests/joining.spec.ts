import { longEvening } from '../harness/film';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

test('guests join by link, and everyone reads who is there and who is the host', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const guest = await people.guest(host, { name: 'Bob' });
  for (const person of [host, guest]) {
    await expect(person.participants.getByRole('listitem')).toHaveCount(2);
    await expect(person.participants.getByRole('listitem').first()).toContainText('Ada');
    await expect(person.participant('Ada')).toContainText(/host/i);
    await expect(person.participant('Bob')).not.toContainText(/host/i);
  }
});

test('guests join by code, in lower case and with spaces', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const guest = await people.arrive();
  await guest.home();
  await guest.name.fill('Bob');
  const code = host.sessionCode.toLowerCase();
  await guest.code.fill(` ${code.slice(0, 3)} ${code.slice(3)} `);
  await guest.join.click();
  await guest.isInside();
  expect(guest.sessionCode).toBe(host.sessionCode);
  await expect(host.participant('Bob')).toBeVisible();
});

test('whoever types no name gets one', async ({ people }) => {
  const host = await people.host();
  await people.guest(host);
  await expect(host.participants.getByRole('listitem').nth(0)).toContainText(/Host\d{3}/);
  await expect(host.participants.getByRole('listitem').nth(1)).toContainText(/Guest\d{3}/);
});

test('a password is asked for, a wrong one is said to be possible, and the right one lets in', async ({ people }) => {
  const host = await people.host({ name: 'Ada', password: 'correct horse' });
  const guest = await people.arrive();
  await guest.page.goto(host.invite);
  await guest.asksIn({ name: 'Bob', password: 'battery staple' });
  await guest.reads(/another password/i);
  await expect(guest.name).toHaveValue('Bob');
  await expect(guest.leave).toBeHidden();
  await guest.asksIn({ password: 'correct horse' });
  await guest.isInside();
  for (const person of [host, guest]) {
    expect(person.requests.filter((address) => /horse|battery/.test(address)), 'a password in an address').toEqual([]);
  }
});

test('an invite link lets in without the password, over a reload too, and leaves nothing in the address', async ({ people }) => {
  const host = await people.host({ name: 'Ada', password: 'correct horse' });
  const link = await host.inviteLink();
  const key = /#k=([0-9a-f]{32})$/.exec(link)?.[1] ?? 'no key';
  const guest = await people.arrive();
  await guest.page.goto(link);
  await expect(guest.join).toBeEnabled();
  await expect.poll(() => guest.page.url()).toBe(host.invite);
  await guest.page.reload();
  await expect(guest.join).toBeEnabled();
  await guest.asksIn({ name: 'Bob' });
  await guest.isInside();
  await expect(host.participant('Bob')).toBeVisible();
  expect(guest.requests.filter((address) => address.includes(key)), 'the key in a request').toEqual([]);
});

test('the start page shows nothing of a refusal on a session page', async ({ people }) => {
  const host = await people.host({ password: 'correct horse' });
  const guest = await people.arrive();
  await guest.page.goto(host.invite);
  await guest.asksIn({ password: 'battery staple' });
  await guest.reads(/another password/i);
  await guest.backToStart.click();
  await expect(guest.create).toBeEnabled();
  await guest.doesNotRead(/another password/i);
  await expect(guest.password).not.toHaveAttribute('aria-invalid', 'true');
});

test('whoever goes back to the start page and returns to the session has the picture again', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const guest = await people.arrive();
  await guest.home();
  await guest.code.fill(host.sessionCode);
  await guest.join.click();
  await guest.isInside();
  await host.choose(longEvening);
  await seesFrames(guest.stream);
  for (const person of [guest, host]) {
    await person.page.goBack();
    await person.reads(/you are still in a session/i);
    await person.backToSession.click();
    await person.isInside();
    await seesFrames(person.picture);
    await seesFrames(guest.stream);
    await guest.reads(/\bStreaming\b/);
  }
  await expect(host.participants.getByRole('listitem')).toHaveCount(2);
});

test.describe('a session for two', () => {
  test.use({ environment: { SESSION_LIMIT: '2' } });

  test('is full for the third, who reads so, and open again once somebody left', async ({ people }) => {
    const host = await people.host({ name: 'Ada' });
    const guest = await people.guest(host, { name: 'Bob' });
    const third = await people.arrive();
    await third.page.goto(host.invite);
    await third.asksIn({ name: 'Cleo' });
    await third.reads(/session is full/i);
    await expect(third.leave).toBeHidden();

    await guest.leave.click();
    await expect(host.participants.getByRole('listitem')).toHaveCount(1);
    await third.asksIn();
    await third.isInside();
    await expect(host.participant('Cleo')).toBeVisible();
  });
});

test('a guest who leaves is gone from the list, and the session goes on', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const [bob, cleo] = [await people.guest(host, { name: 'Bob' }), await people.guest(host, { name: 'Cleo' })];
  await bob.leave.click();
  await bob.reads(/you left the session/i);
  for (const person of [host, cleo]) {
    await expect(person.participant('Bob')).toHaveCount(0);
    await expect(person.participants.getByRole('listitem')).toHaveCount(2);
  }
});

test('when the host leaves, guests read that it is over and why', async ({ people }) => {
  const host = await people.host({ name: 'Ada' });
  const guest = await people.guest(host, { name: 'Bob' });
  await guest.reads(/waiting for the host/i);
  await host.leave.click();
  await guest.reads(/the host has ended the session/i);
});
