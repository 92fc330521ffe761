import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from '@playwright/test';
import { freePort } from './free_port';
import { Started } from './process';

/** What a relay carried for one allocation, between it and the browser that allocated. */
export interface Allocation {
  session: string;
  username: string;
  /** Payload bytes that the relay sent to the browser: what Cloudflare bills. */
  sent: number;
  /** Payload bytes that it received from the browser. */
  received: number;
  ended: boolean;
}

/**
 * A real relay, started by the test. Its log tells what it carried: lines with `usage:` are the browser's side and
 * lines with `peer usage:` the other one; each line holds what was added since the line before, every 4096 packets
 * and once more when the allocation ends. The sum is exact only after that, so tests wait for `everythingEnded`.
 */
export class Coturn {
  static readonly secret = 'north';

  private constructor(
    private readonly process: Started,
    private readonly folder: string,
    readonly address: string,
    readonly port: number,
  ) {}

  static async start({ address = '127.0.0.1', namespace }: { address?: string; namespace?: string } = {}): Promise<Coturn> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-coturn-'));
    const port = await freePort();
    const config = path.join(folder, 'turnserver.conf');
    writeFileSync(
      config,
      [
        `listening-ip=${address}`,
        `relay-ip=${address}`,
        `listening-port=${port}`,
        'min-port=50000',
        'max-port=50999',
        'realm=tessro.test',
        'use-auth-secret',
        `static-auth-secret=${Coturn.secret}`,
        'allow-loopback-peers',
        // Loopback peers are refused with an empty one, also where the command line is off.
        'cli-password=unused',
        'no-cli',
        'no-tls',
        'no-dtls',
        'verbose',
        'simple-log',
        `log-file=${path.join(folder, 'turnserver.log')}`,
        `pidfile=${path.join(folder, 'turnserver.pid')}`,
        `userdb=${path.join(folder, 'turnserver.db')}`,
        '',
      ].join('\n'),
    );
    const [command, ...args] = [...(namespace ? ['ip', 'netns', 'exec', namespace] : []), 'turnserver', '-c', config];
    const coturn = new Coturn(new Started('turnserver', command!, args), folder, address, port);
    try {
      // A second relay would share the port in silence: only this one's own log counts.
      await expect
        .poll(() => coturn.log.includes('UDP listener opened on') && coturn.log.includes('TCP listener opened on'))
        .toBe(true);
    } catch (error) {
      const said = coturn.log;
      await coturn.stop();
      throw new Error(`coturn did not come up: ${String(error)}\n${said}`);
    }
    return coturn;
  }

  get log(): string {
    const file = path.join(this.folder, 'turnserver.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** What a stand-in for a provider needs to mint credentials that this relay takes. */
  get relay(): { urls: string[]; secret: string } {
    const at = `turn:${this.address}:${this.port}`;
    return { urls: [`${at}?transport=udp`, `${at}?transport=tcp`], secret: Coturn.secret };
  }

  /** Every allocation so far, as the log tells. */
  get allocations(): Allocation[] {
    const allocations = new Map<string, Allocation>();
    for (const line of this.log.split('\n')) {
      const [, session, event, rest] = /session (\d+): (new,|usage:|delete:)(.*)/.exec(line) ?? [];
      if (!session || rest === undefined) continue;
      if (event === 'new,') {
        const username = /username=<([^>]*)>/.exec(rest)?.[1] ?? '';
        allocations.set(session, { session, username, sent: 0, received: 0, ended: false });
        continue;
      }
      const allocation = allocations.get(session);
      if (!allocation) continue;
      if (event === 'delete:') {
        allocation.ended = true;
      } else {
        allocation.sent += Number(/ sb=(\d+)/.exec(rest)?.[1] ?? 0);
        allocation.received += Number(/ rb=(\d+)/.exec(rest)?.[1] ?? 0);
      }
    }
    return [...allocations.values()];
  }

  /** Bytes sent to browsers, over all allocations. */
  get sent(): number {
    return this.allocations.reduce((sum, allocation) => sum + allocation.sent, 0);
  }

  /** Waits until no allocation is left, so that `sent` is the whole of it. */
  async everythingEnded(): Promise<void> {
    await expect
      .poll(() => this.allocations.filter((allocation) => !allocation.ended).length, {
        message: 'allocations that the browsers did not give back',
        timeout: 20_000,
      })
      .toBe(0);
  }

  async stop(): Promise<void> {
    await this.process.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
