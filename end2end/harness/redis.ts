import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './free_port';
import { Started } from './process';

const password = 'whispered-twice';

/** A real Redis that keeps nothing on disk. */
export class Redis {
  private readonly folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-redis-'));
  private process?: Started;

  private constructor(private readonly port: number) {}

  static async start(): Promise<Redis> {
    const redis = new Redis(await freePort());
    await redis.startAgain();
    return redis;
  }

  get url(): string {
    return `redis://:${password}@127.0.0.1:${this.port}`;
  }

  /** After `kill`: it knows nothing any more. */
  async startAgain(): Promise<void> {
    const settings = { port: this.port, bind: '127.0.0.1', requirepass: password, save: '', appendonly: 'no', dir: this.folder };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.process = new Started('redis', 'redis-server', args);
    await this.process.line(/Ready to accept connections/);
  }

  /** As a power cut ends it. */
  async kill(): Promise<void> {
    await this.process?.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
