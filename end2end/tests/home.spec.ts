import { Operator, TOKEN } from '../harness/operator';
import { expect, relayed, test } from '../harness/test';

const credentials = /\/api\/(turn-credentials|ice-servers)/;

test('a session is created from the home page, which mints no credentials', async ({ people, tessro }) => {
  const host = await people.arrive({ permissions: ['clipboard-read', 'clipboard-write'] });
  await host.home();
  await expect(host.create).toBeEnabled();
  expect(host.requests.filter((address) => credentials.test(address))).toEqual([]);

  await host.name.fill('Ada');
  await host.create.click();
  await host.isInside();
  expect(host.sessionCode).toMatch(/^[346789ACDEFGHJKMNPQRTVWXY]{6}$/);
  await host.reads(new RegExp(host.sessionCode));
  await expect(host.film).toBeEnabled();

  await host.copyInvite.click();
  const link = await host.page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(new RegExp(`^${tessro.origin}/s/${host.sessionCode}#k=[0-9a-f]{32}$`));
});

test('the session page asks for credentials before the join form is answered', async ({ people }) => {
  const host = await people.host();
  const newcomer = await people.arrive();
  await newcomer.page.goto(host.invite);
  await expect(newcomer.join).toBeEnabled();
  await expect.poll(() => newcomer.requests.filter((address) => credentials.test(address)).length).toBe(1);
});

test('a code that leads nowhere is said to, and what was typed stays', async ({ people }) => {
  const guest = await people.arrive();
  await guest.home();
  await guest.name.fill('Bob');
  const answers: [string, RegExp][] = [
    ['AAAAAA', /no session with this code, or it has another password/i],
    ['12', /such as K7M3QX/],
  ];
  for (const [typed, answer] of answers) {
    await guest.code.fill(typed);
    await guest.join.click();
    await guest.reads(answer);
    await expect(guest.code).toHaveValue(typed);
    await expect(guest.name).toHaveValue('Bob');
    await expect(guest.leave).toBeHidden();
  }
});

test('a link that leads nowhere is said to', async ({ people }) => {
  const guest = await people.arrive();
  await guest.page.goto('/s/AAAAAA');
  await guest.asksIn({ name: 'Bob' });
  await guest.reads(/no session with this code, or it has another password/i);
  await expect(guest.leave).toBeHidden();
});

test('nothing is wider than a phone', async ({ people }, info) => {
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
  const host = await people.host({ name: 'Ada' }, phone);
  const newcomer = await people.arrive(phone);
  await newcomer.home();
  const guest = await people.guest(host, { name: 'A guest with a name of some length 12345' }, phone);
  for (const [what, person] of Object.entries({ home: newcomer, host, guest })) {
    const wide = await person.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wide, `${what}: pixels past the edge`).toBeLessThanOrEqual(0);
    await info.attach(what, { body: await person.page.screenshot(), contentType: 'image/png' });
  }
});

relayed.describe('a server with a relay', () => {
  relayed.use({ environment: { ADMIN_TOKEN: TOKEN } });

  relayed('says through whom streaming works, and within a minute that there is no relay once it is paused', async ({ people }) => {
    const visitor = await people.arrive();
    await visitor.page.clock.install();
    await visitor.home();
    await visitor.reads(/Streaming works directly, and over a relay where it has to \(Cloudflare\)\. 0 % of this month’s relay budget is used\./);

    const operator = new Operator((await people.arrive()).page);
    await operator.comes();
    await operator.isInside();
    await operator.pauses('cloudflare');
    await visitor.page.clock.fastForward('01:01');
    await visitor.reads(/Streaming works directly\. There is no relay at the moment for networks that need one\./);
    await visitor.doesNotRead(/Cloudflare/);
  });
});
