import { nightTrain } from '../harness/film';
import { test } from '../harness/test';
import { seesFrames } from '../harness/watching';

test('while the server is away people read so and go on watching', async ({ people, tessro }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(nightTrain);
  await seesFrames(guest.stream);

  await tessro.kill();
  const away = /server cannot be reached/i;
  for (const person of [host, guest]) await person.reads(away);
  await seesFrames(guest.stream);

  await tessro.startAgain();
  for (const person of [host, guest]) await person.doesNotRead(away, 20_000);
});

test('on SIGTERM the server closes its sockets and ends in peace', async ({ people, tessro }) => {
  const host = await people.host();
  const closed = new Promise<void>((resolve) => host.page.on('websocket', (socket) => socket.on('close', () => resolve())));
  await host.page.reload();
  await host.isInside();
  await tessro.stop();
  await closed;
});
