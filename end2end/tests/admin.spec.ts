import { Operator, TOKEN } from '../harness/operator';
import { expect, test } from '../harness/test';

test.use({ environment: { ADMIN_TOKEN: TOKEN } });

test('the operator is let in by the token alone, and it is nowhere but in a header', async ({ people, tessro }) => {
  const person = await people.arrive();
  const { page, context } = person;
  const operator = new Operator(page);
  const headers: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/api/admin/')) headers.push(request.headers().authorization ?? '');
  });
  await operator.comes('north-by-northwest');
  await expect(page.getByRole('alert').filter({ hasText: 'That is not the token' })).toBeVisible();
  await expect(operator.token).toBeFocused();
  await expect(operator.token).toHaveValue('');

  await operator.types(TOKEN);
  await operator.isInside();
  expect(headers.at(-1)).toBe(`Bearer ${TOKEN}`);
  expect(await page.content()).not.toContain(TOKEN);
  expect(page.url()).toBe(`${tessro.origin}/admin`);
  expect(person.requests.filter((address) => address.includes(TOKEN))).toEqual([]);
  const stored = () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state, window.name]);
  expect(await page.evaluate(stored)).not.toContain(TOKEN);
  expect(JSON.stringify(await context.storageState())).not.toContain(TOKEN);
  expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
  expect(tessro.log.join('\n')).not.toContain(TOKEN);
  expect([...person.console, ...person.errors].join('\n')).not.toContain(TOKEN);

  await page.reload();
  await expect(operator.token).toBeVisible();
  await operator.types(TOKEN);
  await operator.isInside();
  await operator.lock.click();
  await expect(operator.token).toBeVisible();
  await expect(page.locator('.admin-month')).toHaveCount(0);
});

test('what happens is seen at once, and a session that is ended is over for everyone in it', async ({ people }) => {
  const { page } = await people.arrive();
  const operator = new Operator(page);
  await operator.comes();
  await operator.isInside();
  await expect(page.getByText('0 sessions, 0 people, 0 connections')).toBeVisible();

  const host = await people.host({ name: 'Ada' });
  const guest = await people.guest(host, { name: 'Bob' });
  await expect(page.getByText('1 session, 2 people')).toBeVisible();
  await expect(page.locator('body')).not.toContainText('Ada');
  await expect(page.locator('body')).not.toContainText(host.sessionCode);

  await page.getByRole('button', { name: /^End session: / }).click();
  await expect(operator.dialogue).toContainText(/Everyone in it is told/);
  await operator.dialogue.getByRole('button', { name: 'Leave it as it is' }).click();
  await expect(page.getByText('1 session, 2 people')).toBeVisible();
  await page.getByRole('button', { name: /^End session: / }).click();
  await operator.dialogue.getByRole('button', { name: 'End session' }).click();
  await expect(operator.said).toHaveText(/^Session [0-9a-f]{8} has ended\.$/);
  for (const { reads } of [host, guest].map((person) => ({ reads: person.reads.bind(person) }))) {
    await reads(/Whoever runs this site has ended the session/);
  }
  await expect(page.getByText('0 sessions, 0 people')).toBeVisible();
});
