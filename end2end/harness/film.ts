import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Cached between runs; delete the folder after changing a recipe here. */
const folder = path.join(__dirname, '..', '.films');

/** A film on the host's disk. */
export interface Film {
  file: string;
  /** The file's name without its ending, as guests read it. */
  title: string;
}

const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'];
const aac = ['-c:a', 'aac', '-b:a', '160k'];

/** A white square wanders over one colour: the colour tells which film it is, the square keeps the encoder at work. */
function plain(colour: string, size: string, seconds: number): string[] {
  return [
    '-f', 'lavfi', '-i', `color=c=${colour}:s=${size}:r=30`,
    '-f', 'lavfi', '-i', 'color=c=white:s=40x40:r=30',
    '-f', 'lavfi', '-i', 'sine=frequency=660',
    '-filter_complex', "[0][1]overlay=x='mod(t*120,280)':y=20[v]",
    '-map', '[v]', '-map', '2', '-t', String(seconds), ...h264, ...aac,
  ];
}

const recipes = {
  /** 20 s of 720p in motion; 440 Hz on the left and 880 Hz on the right, so that stereo can be heard. */
  'Night Train.mp4': [
    '-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30',
    '-f', 'lavfi', '-i', 'sine=frequency=440', '-f', 'lavfi', '-i', 'sine=frequency=880',
    '-filter_complex', '[1][2]join=inputs=2:channel_layout=stereo[a]',
    '-map', '0:v', '-map', '[a]', '-t', '20', ...h264, ...aac,
  ],
  /** Something to look at, for pictures of the pages. */
  'The Coast at Night.mp4': [
    '-f', 'lavfi', '-i', 'mandelbrot=size=1280x720:rate=30:start_scale=0.9:end_scale=0.2:start_x=-0.743:start_y=0.131',
    '-f', 'lavfi', '-i', 'sine=frequency=440', '-t', '12', ...h264, ...aac,
  ],
  /** Night Train for seven minutes, both notes without a seam. */
  'Night Journey.mp4': [
    '-stream_loop', '20', '-i', path.join(folder, 'Night Train.mp4'),
    '-f', 'lavfi', '-i', 'sine=frequency=440', '-f', 'lavfi', '-i', 'sine=frequency=880',
    '-filter_complex', '[1][2]join=inputs=2:channel_layout=stereo[a]',
    '-map', '0:v', '-map', '[a]', '-t', '420', '-c:v', 'copy', ...aac,
  ],
  /** Three minutes, small in every way, for tests that are about anything but the picture. */
  'Long Evening.mp4': plain('0x205080', '320x180', 180),
  'Red Harbour.mp4': plain('0xC02020', '640x360', 30),
  'Three Seconds.mp4': plain('0x20A040', '640x360', 3),
  /** Shows which second it is: six bars of equal width, the first white in every odd one, the next in 2 and 3 of each four, and so on. */
  'Counted Seconds.mp4': [
    '-f', 'lavfi', '-i', 'color=c=black:s=288x180:r=30', '-f', 'lavfi', '-i', 'sine=frequency=660',
    '-vf', Array.from({ length: 6 }, (_, bit) => `drawbox=x=${48 * bit}:w=48:h=180:color=white:t=fill:enable='mod(floor(t/${2 ** bit}),2)'`).join(','),
    '-t', '60', ...h264, ...aac,
  ],
  'Silent Sea.mp4': ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30', '-t', '20', ...h264],
  /** A whole and healthy file whose codecs no browser has. */
  'Old Tape.mkv': [
    '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=440',
    '-t', '2', '-c:v', 'mpeg2video', '-c:a', 'mp2',
  ],
} satisfies Record<string, string[]>;

type Name = keyof typeof recipes | 'Broken.mp4';

function film(name: Name): Film {
  return { file: path.join(folder, name), title: path.parse(name).name };
}

export const nightTrain = film('Night Train.mp4');
export const nightJourney = film('Night Journey.mp4');
export const coastAtNight = film('The Coast at Night.mp4');
export const longEvening = film('Long Evening.mp4');
export const redHarbour = film('Red Harbour.mp4');
export const threeSeconds = film('Three Seconds.mp4');
export const countedSeconds = film('Counted Seconds.mp4');
export const silentSea = film('Silent Sea.mp4');
export const oldTape = film('Old Tape.mkv');
/** Bytes that are no film at all. */
export const broken = film('Broken.mp4');

/** Makes what is not there yet; the first time takes about 20 s on two cores. */
export function makeAll(): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, recipe] of Object.entries(recipes)) {
    const file = path.join(folder, name);
    if (existsSync(file)) continue;
    // Under another name first: a run that is stopped half-way must not leave half a film behind.
    const unfinished = path.join(folder, `unfinished${path.extname(name)}`);
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...recipe, unfinished], { stdio: ['ignore', 'inherit', 'inherit'] });
    renameSync(unfinished, file);
  }
  if (!existsSync(broken.file)) {
    // Arbitrary and always the same.
    writeFileSync(broken.file, Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * i * 31 + i * 7) & 0xff)));
  }
}
