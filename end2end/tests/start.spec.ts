import { Cloudflare } from '../harness/cloudflare';
import { expect, relayed, test } from '../harness/test';
import { Tessro } from '../harness/tessro';

relayed('the log says at the start where it listens, that there is a relay, and up to what limit', async ({ tessro }) => {
  await tessro.logs(/Bandwidth limit/);
  const said = tessro.log.map((line) => line.replace(/^\S+ +(INFO|WARN|ERROR) +/, ''));
  for (const line of [
    `✅ Tessro server listening on port ${tessro.port}`,
    '✅ Cloudflare TURN service configured',
    '📊 Bandwidth limit: 1000 GB/month',
  ]) {
    expect(said).toContain(line);
  }
});

test('with half a key it does not start, and says in one sentence what is missing', async () => {
  for (const [present, missing] of [
    ['CLOUDFLARE_TURN_KEY_ID', 'CLOUDFLARE_TURN_API_TOKEN'],
    ['CLOUDFLARE_TURN_API_TOKEN', 'CLOUDFLARE_TURN_KEY_ID'],
  ] as const) {
    const { code, said } = await Tessro.refuses({ [present]: Cloudflare.token });
    expect(code, 'exit code').not.toBeNull();
    expect(code, 'exit code').not.toBe(0);
    expect(said).toEqual([expect.stringContaining(`${missing} is not`)]);
    expect(said.join()).not.toContain(Cloudflare.token);
  }
});
