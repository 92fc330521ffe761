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

test('the doctor leaves with a code that scripts understand', async ({ tessro }) => {
  const well = await tessro.doctor();
  expect(well.said.join('\n')).toContain('All is well');
  expect(well.code).toBe(0);
  const { code, said } = await tessro.doctor('--json');
  expect(code).toBe(0);
  const report = JSON.parse(said.find((line) => line.startsWith('{'))!) as { ok: boolean; steps: { step: string }[] };
  expect(report.ok).toBe(true);
  expect(report.steps.map((step) => step.step)).toContain('web_socket');
  await tessro.stop();
  const broken = await tessro.doctor();
  expect(broken.said.join('\n')).toMatch(/BROKEN {3}this server {2}server: nothing answers at .*What to do: start the server/);
  expect(broken.code).toBe(1);
  expect((await tessro.doctor('--port=none')).code).toBe(2);
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
