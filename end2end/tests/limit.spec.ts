import { nightTrain } from '../harness/film';
import { expect, relayed } from '../harness/test';
import { seesFrames } from '../harness/watching';

/** Why, and what whoever reads it can do. */
const hidden = /The relay budget is used up for now\. While your address is hidden there is no other way; turn the switch off to connect directly\./;
const forHost =
  /The relay budget is used up for now\. Guests with a direct connection watch on; those who need a relay can try another network, or wait until next month at the latest\./;
const forGuest =
  /The relay budget is used up for now(, or promised to others)?\. Direct connections go on; if you need a relay, try another network, or wait until next month at the latest\./;

relayed.use({ environment: { MONTHLY_BANDWIDTH_LIMIT_GB: '0.005' } });

relayed('once the month is used up nobody gets new credentials, and host and guest read why and what goes on', async ({ people, tessro }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  for (const person of [host, guest]) await person.hideMyAddress();
  await host.choose(nightTrain);
  await seesFrames(guest.stream);
  await expect.poll(async () => (await tessro.bandwidth()).status, { timeout: 40_000 }).toBe('LIMIT_EXCEEDED');

  for (const person of [host, guest]) {
    await person.reads(hidden);
    await person.hideAddress.click();
  }
  await host.reads(forHost);
  await guest.reads(forGuest);
  await seesFrames(guest.stream, 15, 20_000);

  for (const path of ['/api/turn-credentials', '/api/ice-servers']) {
    const answer = await fetch(tessro.origin + path);
    expect(answer.status).toBe(429);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const body = (await answer.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ error: 'Bandwidth limit reached', bandwidthLimit: 0.005 });
    expect(body.message).toEqual(expect.any(String));
    expect(body.bandwidthUsed).toMatch(/^\d+\.\d{2,}$/);
  }
  // Somebody who comes now reads it as well.
  const late = await people.arrive();
  await late.page.goto(host.invite);
  await late.reads(forGuest);
});
