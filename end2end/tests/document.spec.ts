import { Started } from '../harness/process';
import { expect, test } from '../harness/test';
import { Tessro } from '../harness/tessro';

/** Examples for each address; `script/test api` asks for many more than a commit is guarded with. */
const examples = Number(process.env.TESSRO_API_EXAMPLES ?? 5);

const appKey = 'forum-key-0123456789abcdef';

test('whoever reads the API document and asks for all that it allows, and for what it does not, is answered as it says', async () => {
  test.setTimeout(examples * 5_000 + 60_000);
  const tessro = await Tessro.start(
    {
      COTURN_URLS: 'turn:turn.example,turns:turn.example:443?transport=tcp',
      COTURN_SHARED_SECRET: 'north',
      RATE_LIMIT_CREDENTIALS: '1000000/1s',
      RATE_LIMIT_API_KEY: '1000000/1s',
      API_KEYS_FILE: 'apps',
    },
    { files: { apps: `forum key=${appKey}\n` } },
  );
  const schemathesis = new Started('schemathesis', 'schemathesis', [
    ...['run', `${tessro.origin}/api/openapi.json`, '--no-color', '--workers=1', '--request-timeout=10'],
    ...['--checks=all', `--max-examples=${examples}`, '--phases=examples,coverage,fuzzing'],
    // Every commit is guarded by the same requests; a long run may find something new.
    ...(examples > 5 ? [] : ['--generation-deterministic']),
  ]);
  try {
    expect(await schemathesis.exit(), schemathesis.lines.join('\n')).toBe(0);
    expect(tessro.log.filter((line) => / (ERROR|WARN) /.test(line) && !line.includes('no built pages'))).toEqual([]);
  } finally {
    await schemathesis.end('SIGKILL');
    await tessro.dispose();
  }
});
