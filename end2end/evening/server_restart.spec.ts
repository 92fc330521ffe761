import { setTimeout as sleep } from 'node:timers/promises';
import { isRelayed } from '../harness/connection_stats';
import { nightJourney } from '../harness/film';
import { atMost, written } from '../harness/figures';
import { loseSockets, openSockets } from '../harness/instruments';
import { figureIsTheRelays } from '../harness/metered';
import type { Person } from '../harness/people';
import { expect, relayed, test } from '../harness/test';
import { longestGapWithin, seesFrames } from '../harness/watching';

test('the host loses the line to the server, and the picture never stops', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(nightJourney);
  await seesFrames(guest.stream, 150);
  const quiet = await longestGapWithin(guest.stream, 15);
  const cut = await longestGapWithin(guest.stream, 15, async () => {
    for (let time = 0; time < 3; time += 1) {
      expect(await loseSockets(host.page)).toBe(1);
      await expect.poll(() => openSockets(host.page)).toBe(1);
    }
  });
  written('longest gap in 15 quiet seconds', `${quiet.toFixed(0)} ms`);
  atMost("longest gap, the host's socket cut three times", cut, quiet + 100, 'ms');
});

relayed('the server is killed and started again while a film runs over an outside relay', async ({ people, tessro, coturn }) => {
  const host = await people.host({ name: 'Ada' });
  const guests = [await people.guest(host, { name: 'Bob' }), await people.guest(host, { name: 'Cleo' })];
  for (const person of [host, ...guests]) await person.hideMyAddress();
  await host.choose(nightJourney);
  for (const guest of guests) await seesFrames(guest.stream, 150);
  for (const { page } of guests) await isRelayed(page);
  const code = host.sessionCode;
  await host.says('Popcorn is ready');
  await guests[0]!.reads(/Popcorn is ready/);
  const quiet = await Promise.all(guests.map((guest) => longestGapWithin(guest.stream, 25)));
  const restart = async () => {
    await tessro.kill();
    // What is said while nobody can pass it on arrives afterwards.
    await guests[1]!.says('Is anybody there?');
    await sleep(3_000);
    await tessro.startAgain();
  };
  const [first, second] = guests as [Person, Person];
  const gaps = await Promise.all([longestGapWithin(first.stream, 25, restart), longestGapWithin(second.stream, 25)]);
  for (const [place, gap] of gaps.entries()) {
    written(`longest gap in 25 quiet seconds, relayed, guest ${place + 1}`, `${quiet[place]!.toFixed(0)} ms`);
    atMost(`longest gap, server killed and started again, guest ${place + 1}`, gap, quiet[place]! + 100, 'ms');
  }
  for (const person of [host, ...guests]) {
    await expect(person.participants.getByRole('listitem')).toHaveCount(3);
    await person.doesNotRead(/server cannot be reached/i);
    expect(person.sessionCode).toBe(code);
    for (const words of [/Popcorn is ready/, /Is anybody there\?/]) await person.reads(words);
  }
  // It is the same session, not the memory of one: what the host does reaches everyone.
  await host.pause();
  for (const guest of guests) await guest.reads(/\bPaused\b/);
  await host.play();
  for (const guest of guests) await seesFrames(guest.stream);
  for (const { page } of guests) await isRelayed(page);
  // What ran while nobody counted is told afterwards.
  await figureIsTheRelays(tessro, coturn, host, ...guests);
});
