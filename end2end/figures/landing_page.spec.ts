import { expect, test } from '../harness/test';

test('landing page over the wire', async ({ people, tessro }) => {
  const visitor = await people.arrive();
  const session = await visitor.context.newCDPSession(visitor.page);
  await session.send('Network.enable');
  const addresses = new Map<string, { url: string; encoding: string }>();
  const figures: { url: string; encoding: string; bytes: number }[] = [];
  session.on('Network.responseReceived', ({ requestId, response }) => {
    addresses.set(requestId, { url: response.url, encoding: response.headers['content-encoding'] ?? 'plain' });
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const from = addresses.get(requestId);
    if (from) figures.push({ ...from, bytes: encodedDataLength });
  });
  await visitor.page.goto('/', { waitUntil: 'networkidle' });
  await expect(visitor.create).toBeEnabled();
  for (const { url, encoding, bytes } of figures) {
    console.log(`${String(bytes).padStart(9)}  ${encoding.padEnd(6)} ${url.replace(tessro.origin, '')}`);
  }
  const total = figures.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`${String(total).padStart(9)}  bytes over the wire, headers counted`);
  expect(figures.every(({ url }) => url.startsWith(tessro.origin))).toBe(true);
});
