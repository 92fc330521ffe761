import { spawn, type ChildProcess } from 'node:child_process';

/** A process that a test started, with everything that it printed. Nothing else is ever signalled. */
export class Started {
  readonly lines: string[] = [];
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private readonly waiting = new Set<() => void>();
  private over = false;

  constructor(
    private readonly name: string,
    command: string,
    args: string[],
    options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
  ) {
    this.child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        this.lines.push(...lines);
        this.wake();
      });
    }
    this.ended = new Promise((resolve) => {
      const end = (why?: Error) => {
        if (why) this.lines.push(`${name}: ${why.message}`);
        this.over = true;
        this.wake();
        resolve();
      };
      this.child.once('error', end).once('close', () => end());
    });
    // A run that is broken off must not leave servers behind.
    const child = this.child;
    const last = () => child.kill('SIGKILL');
    process.once('exit', last);
    void this.ended.then(() => process.removeListener('exit', last));
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }

  get running(): boolean {
    return !this.over;
  }

  /** Waits until it has ended by itself: the exit code, or nothing where a signal ended it. */
  async exit(): Promise<number | null> {
    await this.ended;
    return this.child.exitCode;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Waits for a line; a process that ends without having said it is an error with all that it did say. */
  async line(pattern: RegExp, timeout = 10_000): Promise<string> {
    return new Promise((resolve, reject) => {
      const finish = (act: () => void) => {
        this.waiting.delete(look);
        clearTimeout(timer);
        act();
      };
      const fail = (why: string) =>
        finish(() => reject(new Error(`${this.name} ${why} ${pattern}:\n${this.lines.slice(-40).join('\n')}`)));
      const look = () => {
        const line = this.lines.find((candidate) => pattern.test(candidate));
        if (line !== undefined) finish(() => resolve(line));
        else if (this.over) fail('ended without saying');
      };
      const timer = setTimeout(() => fail(`did not say within ${timeout} ms`), timeout);
      this.waiting.add(look);
      look();
    });
  }

  /** Sends a signal and waits for nothing: SIGSTOP holds it, SIGCONT lets it go on, SIGHUP has it read its settings again. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP'): void {
    this.child.kill(signal);
  }

  /** Sends the signal and waits for the end; a process that lingers for 10 s after SIGTERM is an error. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.over) return;
    this.child.kill(signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, 10_000, 'late')));
    const outcome = await Promise.race([this.ended, late]);
    clearTimeout(timer);
    if (outcome === 'late') {
      this.child.kill('SIGKILL');
      await this.ended;
      throw new Error(`${this.name} was still there 10 s after ${signal}:\n${this.lines.slice(-40).join('\n')}`);
    }
  }
}
