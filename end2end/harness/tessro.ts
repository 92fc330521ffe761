import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from '@playwright/test';
import { freePort } from './free_port';
import { Started } from './process';
import type { Use } from './usage';

const tree = path.join(__dirname, '..', '..');
const binary = process.env.TESSRO_BINARY ?? path.join(tree, 'target', 'release', 'tessro');

export type Environment = Record<string, string>;

/** `GET /api/bandwidth-status`, as far as tests read it. */
export interface Bandwidth {
  bandwidthUsedBytes: number;
  bandwidthEstimatedBytes: number;
  bandwidthReservedBytes: number;
  activeConnections: number;
  status: 'OK' | 'LIMIT_EXCEEDED';
}

/** The product's own release binary on a free port, with a data folder of its own. */
export class Tessro {
  private process?: Started;
  private readonly earlier: string[] = [];
  private readonly data = mkdtempSync(path.join(os.tmpdir(), 'tessro-data-'));

  private constructor(
    readonly port: number,
    private readonly address: string,
    private readonly environment: Environment,
    private readonly namespace?: string,
  ) {}

  /**
   * `namespace` is where it runs, `address` where it listens, `files` by name what lies in the folder that it is started in; `port`:
   * one that the settings have to name.
   */
  static async start(
    environment: Environment = {},
    {
      address = '127.0.0.1',
      namespace,
      port,
      files = {},
    }: { address?: string; namespace?: string; port?: number; files?: Record<string, string> } = {},
  ): Promise<Tessro> {
    if (!existsSync(binary)) throw new Error(`${binary} is not there: build it (script/test browser does) or set TESSRO_BINARY`);
    const tessro = new Tessro(port ?? (await freePort()), address, environment, namespace);
    try {
      for (const [name, text] of Object.entries(files)) tessro.write(name, text);
      await tessro.run();
    } catch (error) {
      await tessro.dispose();
      throw error;
    }
    return tessro;
  }

  /** For settings that it does not start with: its exit code and all that it said. */
  static async refuses(environment: Environment): Promise<{ code: number | null; said: string[] }> {
    const tessro = new Tessro(await freePort(), '127.0.0.1', environment);
    const refused = tessro.spawn();
    // One that starts after all would run for ever.
    const timer = setTimeout(() => void refused.end('SIGKILL'), 10_000);
    const code = await refused.exit();
    clearTimeout(timer);
    await tessro.dispose();
    return { code, said: refused.lines };
  }

  /** What the doctor says of it, and the code with which he leaves. */
  async doctor(...flags: string[]): Promise<{ code: number | null; said: string[] }> {
    const doctor = this.spawn('doctor', ...flags);
    return { code: await doctor.exit(), said: doctor.lines };
  }

  /** What the books of this month hold, in bytes: what each voice said (`relay`, `browser`, `other_end`, ..), what counts of each provider. */
  async books(): Promise<{ voices: Map<string, number>; providers: Map<string, number> }> {
    const usage = this.spawn('usage', '--csv');
    expect(await usage.exit(), usage.lines.join('\n')).toBe(0);
    const [names, ...rows] = usage.lines.filter(Boolean).map((line) => line.split(','));
    const sums = (by: string, of: string) => {
      const [key, bytes] = [names!.indexOf(by), names!.indexOf(of)];
      const sums = new Map<string, number>();
      for (const row of rows) sums.set(row[key]!, (sums.get(row[key]!) ?? 0) + Number(row[bytes]));
      return sums;
    };
    return { voices: sums('kind', 'bytes'), providers: sums('provider', 'counted') };
  }

  get origin(): string {
    return `${this.environment.TLS_CERT ? 'https' : 'http'}://${this.address}:${this.port}`;
  }

  /** Everything that it logged, over all restarts. */
  get log(): string[] {
    return [...this.earlier, ...(this.process?.lines ?? [])];
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Waits for a log line of the present run. */
  async logs(pattern: RegExp, timeout?: number): Promise<string> {
    return this.process!.line(pattern, timeout);
  }

  async bandwidth(): Promise<Bandwidth> {
    const answer = await fetch(`${this.origin}/api/bandwidth-status`);
    if (!answer.ok) throw new Error(`/api/bandwidth-status answered ${answer.status}`);
    return (await answer.json()) as Bandwidth;
  }

  /** Changes a file in the folder that it was started in. */
  write(name: string, text: string): void {
    writeFileSync(path.join(this.data, name), text);
  }

  /** As an operator has it read its settings again. */
  hangUp(): void {
    this.process?.signal('SIGHUP');
  }

  /** As an operator ends it. */
  async stop(): Promise<void> {
    await this.process?.end('SIGTERM');
  }

  /** As a power cut ends it. */
  async kill(): Promise<void> {
    await this.process?.end('SIGKILL');
  }

  /** The same port, data and settings again, after `stop` or `kill`. */
  async startAgain(): Promise<void> {
    this.earlier.push(...(this.process?.lines ?? []));
    await this.run();
  }

  /** Starts again with these in its books, as if it had counted each when it passed. */
  async remembers(uses: Use[]): Promise<void> {
    await this.stop();
    const rows = uses.map(
      ({ at, bytes, provider, session }, place) => `(${place + 1}, ${at.getTime()}, ${bytes}, '${provider}', '${session}')`,
    );
    const sql = `
      WITH uses (number, at_ms, bytes, provider, session) AS (VALUES ${rows.join(', ')})
      INSERT INTO evidence (node, seq, at_ms, day, kind, bytes, counted, provider, session)
      SELECT 0, (SELECT coalesce(max(seq), 0) FROM evidence WHERE node = 0) + number, at_ms, at_ms / 86400000, 'browser', bytes,
        bytes, provider, session
      FROM uses;`;
    execFileSync('sqlite3', ['-bail', path.join(this.data, 'usage.db')], { input: sql });
    // The sums are made by the program itself.
    const rebuild = this.spawn('usage', '--rebuild');
    expect(await rebuild.exit(), rebuild.lines.join('\n')).toBe(0);
    await this.startAgain();
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    this.process = this.spawn();
    await this.process.line(/listening on port/);
  }

  private spawn(...commandLine: string[]): Started {
    const env = {
      // No relay of its own, which a machine with a public address would have.
      ...(Object.keys(this.environment).some((name) => name.startsWith('TURN_RELAY')) ? {} : { TURN_RELAY: 'off' }),
      ...this.environment,
      HOST: this.address,
      PORT: String(this.port),
    };
    return spawnTessro(commandLine, env, { data: this.data, namespace: this.namespace });
  }
}

/** The product's binary, with a data folder and these settings alone. */
function spawnTessro(commandLine: string[], environment: Environment, { data, namespace }: { data: string; namespace?: string }): Started {
  // Nothing of the developer's own environment, nor of a `.env` in the tree: keys in it would reach a real provider.
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    // No outside contact unless a test asks for it.
    STUN_URLS: '',
    TURN_CHECK_EVERY: 'off',
    PROVIDER_USAGE_EVERY: 'off',
    ...environment,
    DATA_DIR: data,
  };
  const [command, ...args] = [...(namespace ? ['ip', 'netns', 'exec', namespace] : []), binary, ...commandLine];
  return new Started(['tessro', ...commandLine].join(' '), command!, args, { env, cwd: data });
}

/** The product's own relay on a free port of this machine, as a process of its own: `tessro relay`. */
export class RelayAlone {
  private constructor(
    private readonly process: Started,
    private readonly folder: string,
    /** What it was told, and what its app has to be told as well. */
    readonly environment: Environment,
  ) {}

  /** `secret`: what stands in its file, as in `changeSecret`. */
  static async start(secret: string): Promise<RelayAlone> {
    if (!existsSync(binary)) throw new Error(`${binary} is not there: build it (script/test browser does) or set TESSRO_BINARY`);
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-relay-'));
    const file = path.join(folder, 'secret');
    writeFileSync(file, secret);
    const environment = {
      TURN_RELAY: 'external',
      TURN_RELAY_PUBLIC_ADDRESS: '127.0.0.1',
      TURN_RELAY_PORT: String(await freePort()),
      // Everybody is on this machine.
      TURN_RELAY_DEVELOPMENT: '1',
      TURN_RELAY_SECRET_FILE: file,
      // The two have a data folder each.
      TURN_RELAY_CONTROL: path.join(folder, 'relay.sock'),
    };
    const relay = new RelayAlone(spawnTessro(['relay'], environment, { data: folder }), folder, environment);
    try {
      await relay.logs(/The built-in relay is at 127\.0\.0\.1: port \d+ over UDP and TCP/);
    } catch (error) {
      await relay.dispose();
      throw error;
    }
    return relay;
  }

  get log(): string[] {
    return this.process.lines;
  }

  get running(): boolean {
    return this.process.running;
  }

  async logs(pattern: RegExp, timeout?: number): Promise<string> {
    return this.process.line(pattern, timeout);
  }

  /** Several with commas between them, the one that signs first. Neither process reads it before it is told to. */
  changeSecret(secret: string): void {
    writeFileSync(this.environment.TURN_RELAY_SECRET_FILE!, secret);
  }

  /** As an operator has it read its settings again. */
  hangUp(): void {
    this.process.signal('SIGHUP');
  }

  /** As an operator ends it: the code with which it leaves. */
  async stop(): Promise<number | null> {
    await this.process.end('SIGTERM');
    return this.process.exit();
  }

  async dispose(): Promise<void> {
    await this.process.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
