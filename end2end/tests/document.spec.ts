import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Started } from '../harness/process';
import { expect, test } from '../harness/test';
import { Tessro } from '../harness/tessro';

/** Enough to guard a commit, in seconds; `script/test api` asks for many more. */
const few = 5;
const examples = Number(process.env.TESSRO_API_EXAMPLES ?? few);

test('whoever reads the API document and asks for all that it allows, and for what it does not, is answered as it says', async ({}, info) => {
  test.setTimeout(60_000 + examples * 2_000);
  const tessro = await Tessro.start({
    COTURN_URLS: 'turn:turn.example,turns:turn.example:443?transport=tcp',
    COTURN_SHARED_SECRET: 'north',
    RATE_LIMIT_CREDENTIALS: '1000000/1s',
    // Every address may answer that too many ask, which is said once and not for each.
    RATE_LIMIT_API: 'off',
    RATE_LIMIT_PAGES: 'off',
  });
  // It leaves notes where it runs.
  mkdirSync(info.outputDir, { recursive: true });
  const schemathesis = new Started(
    'schemathesis',
    'schemathesis',
    [
      ...['--config-file', path.join(__dirname, '..', 'schemathesis.toml')],
      ...['run', `${tessro.origin}/api/openapi.json`, '--checks=all', '--phases=examples,coverage,fuzzing', '--no-color'],
      // Ten wrong tokens from an address, and it waits: what the operator's addresses answer is for tests of their own.
      '--exclude-path-regex=^/api/admin/',
      `--max-examples=${examples}`,
      // Every commit is guarded by the same requests; a long run may find something new.
      ...(examples > few ? [] : ['--generation-deterministic']),
    ],
    { cwd: info.outputDir },
  );
  try {
    expect(await schemathesis.exit(), schemathesis.lines.map((line) => line.slice(0, 500)).join('\n')).toBe(0);
    expect(schemathesis.lines.join('\n')).toMatch(/Test cases:\s+[1-9]\d+ generated, [1-9]\d+ passed/);
    expect(tessro.log.filter((line) => / (ERROR|WARN) /.test(line) && !line.includes('no built pages'))).toEqual([]);
  } finally {
    await schemathesis.end('SIGKILL');
    await tessro.dispose();
  }
});
