import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from '@playwright/test';
import { freePort } from './free_port';
import { nodeIn } from './node_in';
import { Started } from './process';

/** Of the relay's command line. */
const password = 'whispered';

/** What a relay takes that shares its secret: for so many seconds, for whom does not matter. */
export function sign(secret: string, life: number): { username: string; credential: string } {
  const username = `${Math.floor(Date.now() / 1000) + life}:tessro${randomBytes(6).toString('hex')}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

/** Where the same relay answers STUN. */
export function stunOf(urls: string[]): string {
  return urls[0]!.replace(/^turn:/, 'stun:').replace(/\?.*/, '');
}

/** What a relay carried for one allocation, between it and the browser that allocated. */
export interface Allocation {
  session: string;
  username: string;
  /** Where the browser called from; known once it has ended. */
  client: string;
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
    private readonly namespace: string | undefined,
    private readonly ports: number,
  ) {}

  /** Two at one address need relayed ports of their own: `ports` is the first of a thousand. */
  static async start(
    {
      address = '127.0.0.1',
      namespace,
      ports = 50_000,
      login,
    }: {
      address?: string;
      namespace?: string;
      ports?: number;
      /** One login for everybody instead of the shared secret: coturn takes either or. */
      login?: { username: string; credential: string };
    } = {},
  ): Promise<Coturn> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-coturn-'));
    const port = await freePort();
    const config = path.join(folder, 'turnserver.conf');
    writeFileSync(
      config,
      [
        `listening-ip=${address}`,
        `relay-ip=${address}`,
        `listening-port=${port}`,
        `min-port=${ports}`,
        `max-port=${ports + 999}`,
        'realm=tessro.test',
        ...(login
          ? ['lt-cred-mech', `user=${login.username}:${login.credential}`]
          : ['use-auth-secret', `static-auth-secret=${Coturn.secret}`]),
        'allow-loopback-peers',
        // Loopback peers are refused with an empty one.
        `cli-password=${password}`,
        `cli-ip=${address}`,
        `cli-port=${await freePort()}`,
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
    const coturn = new Coturn(new Started('turnserver', command!, args), folder, address, port, namespace, ports);
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

  /** Whether a relayed address with this port is one of this relay's. */
  relays(port: number): boolean {
    return port >= this.ports && port < this.ports + 1_000;
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
      const [, session, event, rest] = /session (\d+): (new,|usage:|delete:|closed)(.*)/.exec(line) ?? [];
      if (!session || rest === undefined) continue;
      if (event === 'new,') {
        const username = /username=<([^>]*)>/.exec(rest)?.[1] ?? '';
        allocations.set(session, { session, username, client: '', sent: 0, received: 0, ended: false });
        continue;
      }
      const allocation = allocations.get(session);
      if (!allocation) continue;
      if (event === 'closed') {
        allocation.client = /remote ([0-9.:]+)/.exec(rest)?.[1] ?? allocation.client;
      } else if (event === 'delete:') {
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

  /** Dead at once: whoever sends to it hears that nobody listens. */
  async kill(): Promise<void> {
    await this.process.end('SIGKILL');
  }

  /** Alive to look at, and silent. */
  freeze(): void {
    this.process.signal('SIGSTOP');
  }

  /** Takes an allocation away through the relay's own command line, as an operator would. */
  async cancel(session: string): Promise<void> {
    await this.command(`cs ${session}`);
  }

  /** Says one thing on the relay's command line: the answer. */
  private command(command: string): Promise<string> {
    const port = Number(/cli-port=(\d+)/.exec(readFileSync(path.join(this.folder, 'turnserver.conf'), 'utf8'))![1]);
    return nodeIn(
      this.namespace,
      async ({ address, port, lines }) => {
        const socket = (require('node:net') as typeof import('node:net')).connect(port, address);
        let heard = '';
        // A prompt ends what it says; each is answered with the next line, and the last one ends it.
        for await (const text of socket.setEncoding('utf8')) {
          heard += String(text);
          if (!/(password:|>)\s*$/i.test(heard)) continue;
          const line = lines.shift();
          if (line === undefined) break;
          heard = '';
          socket.write(`${line}\r\n`);
        }
        socket.destroy();
        return heard;
      },
      { address: this.address, port, lines: [password, command] },
    );
  }

  async stop(): Promise<void> {
    await this.process.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
