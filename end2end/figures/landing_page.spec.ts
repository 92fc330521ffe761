import { expect, test } from '../harness/test';
import type { Person } from '../harness/people';

interface Figure {
  url: string;
  encoding: string;
  bytes: number;
}

/** Everything that comes over the wire, headers counted, from now on. */
async function overTheWire(visitor: Person): Promise<Figure[]> {
  const session = await visitor.context.newCDPSession(visitor.page);
  await session.send('Network.enable');
  const addresses = new Map<string, { url: string; encoding: string }>();
  const figures: Figure[] = [];
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const url = response.url.replace(visitor.origin, '');
    addresses.set(requestId, { url, encoding: response.headers['content-encoding'] ?? 'plain' });
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const from = addresses.get(requestId);
    if (from) figures.push({ ...from, bytes: encodedDataLength });
  });
  return figures;
}

function writeDown(what: string, figures: Figure[]): number {
  const total = figures.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { url, encoding, bytes } of figures) {
    console.log(`${String(bytes).padStart(9)}  ${encoding.padEnd(6)} ${url}`);
  }
  console.log(`${String(total).padStart(9)}  bytes over the wire, headers counted: ${what}`);
  return total;
}

test('landing page over the wire', async ({ people }) => {
  const visitor = await people.arrive();
  const figures = await overTheWire(visitor);
  await visitor.page.goto('/', { waitUntil: 'networkidle' });
  await expect(visitor.create).toBeEnabled();
  expect(figures.every(({ url }) => url.startsWith('/'))).toBe(true);
  expect(writeDown('landing page', [...figures])).toBeLessThanOrEqual(300_000);

  figures.length = 0;
  await visitor.name.focus();
  await visitor.page.waitForLoadState('networkidle');
  await expect.poll(() => figures.length).toBeGreaterThan(0);
  writeDown('once a form is touched', figures);
});

test('session page over the wire', async ({ people }) => {
  const host = await people.host();
  const guest = await people.arrive();
  const figures = await overTheWire(guest);
  await guest.page.goto(host.invite, { waitUntil: 'networkidle' });
  await expect(guest.join).toBeEnabled();
  expect(figures.every(({ url }) => url.startsWith('/'))).toBe(true);
  writeDown('session page, before the form is answered', figures);
});
