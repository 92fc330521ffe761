import { Cloudflare } from '../harness/cloudflare';
import { nightTrain } from '../harness/film';
import { newestPolicy } from '../harness/instruments';
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
  const host = await people.host();
  const guest = await people.guest(host, { name: 'Bob' });
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
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
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
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
