import { nightTrain } from '../harness/film';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

test('while the server is away people read so and go on watching', async ({ people, tessro }) => {
  const { host, guest } = await people.watching(nightTrain);

  await tessro.kill();
  const away = /server cannot be reached/i;
  for (const person of [host, guest]) await person.reads(away);
  await seesFrames(guest.stream);

  await tessro.startAgain();
  for (const person of [host, guest]) await person.doesNotRead(away, 20_000);
});

for (const how of ['kill', 'stop'] as const) {
  test(`a restart after ${how} ends no session: everyone is back, and the picture never stopped`, async ({ people, tessro }) => {
    const host = await people.host({ name: 'Ada', password: 'correct horse' });
    const link = await host.inviteLink();
    const guest = await people.arrive();
    await guest.joinByLink(link, { name: 'Bob' });
    await host.choose(nightTrain);
    await seesFrames(guest.stream);

    await tessro[how]();
    await tessro.startAgain();
    for (const person of [host, guest]) {
      await person.doesNotRead(/server cannot be reached/i, 20_000);
      await person.isInside();
      await expect(person.participants.getByRole('listitem')).toHaveCount(2);
    }
    await seesFrames(guest.stream);
    await guest.reads(/\bStreaming\b/);
    // The link that was sent before still works.
    const late = await people.arrive();
    await late.joinByLink(link, { name: 'Cleo' });
    await seesFrames(late.stream);
  });
}

test('on SIGTERM the server closes its sockets and ends in peace', async ({ people, tessro }) => {
  const host = await people.host();
  const closed = new Promise<void>((resolve) => host.page.on('websocket', (socket) => socket.on('close', () => resolve())));
  await host.page.reload();
  await host.isInside();
  await tessro.stop();
  await closed;
});
