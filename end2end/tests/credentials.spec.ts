import { Cloudflare } from '../harness/cloudflare';
import { nightTrain } from '../harness/film';
import { newestPolicy } from '../harness/instruments';
import type { Person } from '../harness/people';
import { expect, relayed, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

const credentials = /\/api\/(turn-credentials|ice-servers)/;

relayed('the console says whose credentials were fetched and how many servers there are', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  for (const person of [host, guest]) {
    await expect
      .poll(() => person.console.join('\n'))
      .toMatch(/\[WebRTC\] Successfully fetched Cloudflare TURN credentials/);
    await expect.poll(() => person.console.join('\n')).toMatch(/\[WebRTC\] ICE servers loaded: \d+ servers/);
  }
});

relayed('a reload asks for no new credentials and gives the picture back', async ({ people, cloudflare }) => {
  const { host, guest } = await people.watching(nightTrain);
  const [asked, minted] = [guest.requests.length, cloudflare.requests];
  await guest.page.reload();
  await seesFrames(guest.stream);
  expect(guest.requests.slice(asked).filter((address) => credentials.test(address))).toEqual([]);
  expect(cloudflare.requests).toBe(minted);
  await expect(host.participants.getByRole('listitem')).toHaveCount(2);
  await expect(host.participant('Bob')).toBeVisible();
});

relayed('credentials are never written into a page', async ({ people, cloudflare, tessro }) => {
  const host = await people.host();
  await expect.poll(() => cloudflare.minted.length).toBeGreaterThan(0);
  for (const page of ['/', `/s/${host.sessionCode}`]) {
    const html = await (await fetch(tessro.origin + page)).text();
    for (const { username, credential } of cloudflare.minted) {
      expect(html).not.toContain(username);
      expect(html).not.toContain(credential);
    }
    expect(html).not.toMatch(/\bturns?:\d|"credential"/);
  }
  const log = tessro.log.join('\n');
  for (const { credential } of cloudflare.minted) expect(log).not.toContain(credential);
  expect(log).not.toContain(Cloudflare.token);
});

relayed('whoever hides their address connects through the relay only', async ({ people, coturn }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await guest.hideMyAddress();
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
  expect(await newestPolicy(guest.page)).toBe('relay');
  await expect.poll(() => coturn.allocations.length).toBeGreaterThan(0);
});

relayed('hiding in the middle of a film moves the picture to the relay', async ({ people }) => {
  const { guest } = await people.watching(nightTrain);
  await guest.hideMyAddress();
  await expect.poll(() => newestPolicy(guest.page)).toBe('relay');
  await seesFrames(guest.stream);
});

test('the page goes on without a relay when too many credentials were asked for, and says so', async ({ people, tessro }) => {
  const host = await people.host();
  await expect
    .poll(async () => (await fetch(`${tessro.origin}/api/turn-credentials`)).status, { intervals: [10] })
    .toBe(429);
  const guest = await people.arrive();
  await guest.page.goto(host.invite);
  await guest.reads(/your address has asked too often/i);
  await guest.asksIn();
  await guest.isInside();
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
});

relayed.describe('a server that gives strangers credentials once an hour', () => {
  relayed.use({ environment: { RATE_LIMIT_CREDENTIALS: '1/1h' } });

  relayed('a page refused at the door asks again as a participant once it has joined', async ({ people, tessro }) => {
    const host = await people.host();
    const address = `${tessro.origin}/api/turn-credentials`;
    // Whoever had the one call of this hour, this is the next.
    await fetch(address);
    expect((await fetch(address)).status).toBe(429);

    const guest = await people.arrive();
    await guest.page.goto(host.invite);
    await guest.reads(/your address has asked too often/i);
    const answered = guest.page.waitForResponse(
      (answer) => answer.url().startsWith(address) && 'authorization' in answer.request().headers(),
    );
    await guest.asksIn();
    await guest.isInside();
    expect((await answered).status()).toBe(200);
    await expect
      .poll(() => guest.console.join('\n'))
      .toMatch(/\[WebRTC\] Successfully fetched Cloudflare TURN credentials/);
    await guest.doesNotRead(/your address has asked too often/i);
  });
});

test('a call for credentials that is never answered is given up and said, and the picture comes all the same', async ({ people }) => {
  const [host, guest] = [await people.arrive(), await people.arrive()];
  for (const { page } of [host, guest]) await page.route(credentials, () => {});
  const says = (person: Person) => person.reads(/no relay is available: the server does not answer/i, 7_000);
  await host.createSession();
  await guest.page.goto(host.invite);
  await Promise.all([host, guest].map(says));
  await guest.asksIn();
  await guest.isInside();
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
});
