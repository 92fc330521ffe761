import { execFile } from 'node:child_process';

/**
 * Runs a function in a Node of its own in a network namespace, where this one cannot go; without a namespace, here. It
 * sees nothing but its arguments and `require`, and what it resolves with comes back.
 */
export function nodeIn<Argument, Result>(
  namespace: string | undefined,
  run: (argument: Argument) => Promise<Result>,
  argument: Argument,
  timeout = 30_000,
): Promise<Result> {
  const program = `(${run.toString()})(${JSON.stringify(argument)}).then(
    (result) => { process.stdout.write(JSON.stringify(result ?? null)); process.exit(0); },
    (error) => { console.error(error); process.exit(1); },
  )`;
  const words = [...(namespace ? ['ip', 'netns', 'exec', namespace] : []), process.execPath, '-e', program];
  return new Promise((resolve, reject) => {
    execFile(words[0]!, words.slice(1), { timeout }, (error, out) => {
      if (error) reject(error);
      else resolve(JSON.parse(out) as Result);
    });
  });
}
