import { readFile } from 'node:fs/promises';
import { countedSeconds, nightTrain, redHarbour, threeSeconds, type Film } from '../harness/film';
import type { Person } from '../harness/people';
import { expect, test } from '../harness/test';
import { seesFrames, seesHue } from '../harness/watching';

const stamp = (ms: number) => new Date(ms).toISOString().slice(11, 23).replace('.', ',');

function srt(cues: [number, number, string][]): string {
  return cues.map(([start, end, text], i) => `${i + 1}\r\n${stamp(start)} --> ${stamp(end)}\r\n${text}\r\n`).join('\r\n');
}

const file = (name: string, text: string | Buffer) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });

/** The film under another name. */
const video = async (name: string, film: Film) => ({ name, mimeType: 'video/mp4', buffer: await readFile(film.file) });

const lines = ({ page }: Person) => page.locator('.subtitles');

test('a file chosen together with its film is offered to guests, and each decides alone', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  const other = await people.guest(host);
  await expect(guest.subtitles).toBeHidden();
  const film = await video('Red Harbour.mp4', redHarbour);
  const said = srt([[0, 29_000, 'Grüße aus dem <i>Hafen</i> & <b>mehr</b>']]);
  await host.film.setInputFiles([file('Red Harbour.de.srt', said), film]);
  await seesHue(guest.stream, 'red');
  await guest.subtitles.click();
  await expect(guest.subtitles).toBeChecked();
  await expect(lines(guest)).toHaveText('Grüße aus dem Hafen & mehr');
  await expect(lines(guest).locator('i')).toHaveText('Hafen');
  await expect(lines(other)).toBeHidden();
  await expect(lines(host)).toBeHidden();
  await host.subtitles.click();
  await expect(lines(host)).toHaveText('Grüße aus dem Hafen & mehr');
  await guest.subtitles.click();
  await expect(lines(guest)).toBeHidden();
});

test('several languages, a late guest, a reload of the guest, and another film', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(redHarbour);
  await seesHue(guest.stream, 'red');
  await host.addSubtitles.setInputFiles([
    file('Harbour.de.srt', srt([[0, 29_000, 'Hallo']])),
    file('Harbour.en.vtt', 'WEBVTT\n\n00:00.000 --> 00:29.000\nHello\n'),
  ]);
  await guest.subtitles.click();
  await expect(lines(guest)).toHaveText('Hallo');
  await guest.page.getByLabel('Which subtitles').selectOption('Harbour.en');
  await expect(lines(guest)).toHaveText('Hello');
  const late = await people.guest(host);
  await late.subtitles.click();
  await expect(lines(late)).toHaveText('Hallo');

  await guest.page.reload();
  await seesFrames(guest.stream);
  await guest.subtitles.click();
  await expect(lines(guest)).toHaveText('Hallo');

  await host.choose(nightTrain);
  await expect(guest.subtitles).toBeHidden();
  await expect(lines(guest)).toBeHidden();
});

const ways: [string, Buffer, string][] = [
  ['Windows-1251', Buffer.from([0xc3, 0xe4, 0xe5, 0x20, 0xf2, 0xfb, 0x20, 0xe1, 0xfb, 0xeb, 0x3f]), 'Где ты был?'],
  ['UTF-16 with a mark', Buffer.from('\ufeffWo warst du, Jürgen? Łódź', 'utf16le'), 'Wo warst du, Jürgen? Łódź'],
  ['Windows-1252', Buffer.from('Où êtes-vous passé ?', 'latin1'), 'Où êtes-vous passé ?'],
];
for (const [way, words, read] of ways) {
  test(`a file written in ${way} is read`, async ({ people }) => {
    const host = await people.host();
    await host.choose(redHarbour);
    await seesHue(host.ownVideo, 'red');
    const wide = way.startsWith('UTF-16');
    const ascii = (text: string) => Buffer.from(text, wide ? 'utf16le' : 'latin1');
    const mark = wide ? words.subarray(0, 2) : Buffer.alloc(0);
    const said = wide ? words.subarray(2) : words;
    await host.addSubtitles.setInputFiles([
      file('a.srt', Buffer.concat([mark, ascii('1\r\n00:00:00,000 --> 00:00:29,000\r\n'), said, ascii('\r\n')])),
    ]);
    await host.subtitles.click();
    await expect(lines(host)).toHaveText(read);
  });
}

test('where the guess is wrong the host says how the file is written', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(redHarbour);
  await seesHue(guest.stream, 'red');
  // One letter alone tells nothing: ø in Western Europe, ř in the Czech Republic.
  const words = Buffer.concat([Buffer.from('00:00.000 --> 00:29.000\n'), Buffer.from([0xf8])]);
  await host.addSubtitles.setInputFiles([file('a.vtt', words)]);
  await guest.subtitles.click();
  await expect(lines(guest)).toHaveText('ø');
  await host.page.getByLabel(/Written in/).selectOption('windows-1250');
  await expect(lines(guest)).toHaveText('ř');
});

test('a file without subtitles is refused with a sentence, and can be removed', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.choose(redHarbour);
  await seesHue(guest.stream, 'red');
  await host.addSubtitles.setInputFiles([file('shopping.srt', 'milk, bread')]);
  await host.reads(/There are no subtitles in “shopping\.srt”/);
  await expect(guest.subtitles).toBeHidden();
  await host.page.getByRole('button', { name: 'Remove: shopping.srt' }).click();
  await expect(host.page.getByRole('list', { name: 'Subtitle files' })).toBeHidden();
});

test('subtitles go on with the next film of the list where it has its own', async ({ people }) => {
  const host = await people.host();
  const guest = await people.guest(host);
  await host.film.setInputFiles([
    await video('One.mp4', threeSeconds),
    await video('Two.mp4', redHarbour),
    file('One.en.srt', srt([[0, 3_000, 'first']])),
    file('Two.en.srt', srt([[0, 29_000, 'second']])),
  ]);
  await guest.subtitles.click();
  await expect(lines(guest)).toHaveText('first');
  await seesHue(guest.stream, 'red', 20_000);
  await expect(lines(guest)).toHaveText('second');
});

/**
 * How far, in ms, lines come apart from the seconds of the film whose numbers they have: positive where the line is late, and
 * infinite where it was not there in two and a half seconds. After a jump, from the second on that follows the one it led to.
 */
async function skews({ page }: Person, seconds: number): Promise<number[]> {
  const all = await page.evaluate(async (seconds) => {
    const video = document.querySelector('video')!;
    const box = document.querySelector('.subtitles')!;
    const canvas = document.createElement('canvas');
    canvas.width = 6;
    canvas.height = 1;
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    const seen: { at: number; second: number }[] = [];
    const read: { at: number; second: number }[] = [];
    const note = (list: typeof seen, second: number) => {
      if (list.at(-1)?.second !== second) list.push({ at: performance.now(), second });
    };
    const look = () => {
      // The middle of each bar.
      for (let bar = 0; bar < 6; bar += 1) {
        const width = video.videoWidth / 6;
        context.drawImage(video, (bar + 0.25) * width, video.videoHeight / 4, width / 2, video.videoHeight / 2, bar, 0, 1, 1);
      }
      const { data } = context.getImageData(0, 0, 6, 1);
      note(seen, [0, 1, 2, 3, 4, 5].reduce((sum, bar) => sum + (data[4 * bar]! > 128 ? 2 ** bar : 0), 0));
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    // Where one line ends as the next begins, both may be there for a moment.
    const line = () => note(read, Number(box.textContent?.match(/\d+/g)?.at(-1) ?? -1));
    line();
    const observer = new MutationObserver(line);
    observer.observe(box, { subtree: true, childList: true, characterData: true, attributes: true });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    observer.disconnect();
    const end = performance.now();
    // The first of each says only how things stood.
    const jump = seen.findLastIndex(({ second }, place) => place > 0 && second !== seen[place - 1]!.second + 1);
    return seen.slice(Math.max(0, jump) + 1).flatMap(({ at, second }) => {
      if (second === read[0]!.second) return [];
      const line = read.slice(1).find((line) => line.second === second);
      if (line) return [Math.round(line.at - at)];
      return at < end - 2_500 ? [null] : [];
    });
  }, seconds);
  return all.map((skew) => skew ?? Infinity);
}

test('lines change with the picture, within 300 ms, also after a jump and a pause', async ({ people }) => {
  test.slow();
  const { host, guest } = await people.watching(countedSeconds);
  const cues = Array.from({ length: 60 }, (_, i): [number, number, string] => [i * 1000, (i + 1) * 1000, `second ${i}`]);
  await host.addSubtitles.setInputFiles([file('seconds.srt', srt(cues))]);
  await guest.subtitles.click();
  await expect(lines(guest)).toHaveText(/second \d+/);
  const all = await skews(guest, 10);
  await host.seek(30.4);
  all.push(...(await skews(guest, 5)));
  await host.pause();
  await guest.reads(/\bPaused\b/);
  await host.play();
  all.push(...(await skews(guest, 5)));
  console.log(`subtitles against picture, ms (positive: late): ${all.join(' ')}`);
  expect(all.length, 'changes compared').toBeGreaterThan(10);
  expect(Math.max(...all.map(Math.abs))).toBeLessThan(300);
});
