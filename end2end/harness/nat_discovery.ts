import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Internet } from './internet';
import type { Behaviour, Dependence } from './network_kinds';
import { Started } from './process';

const port = 3478;

/** A STUN server with two addresses and two ports, as RFC 5780 wants it: coturn, once for each family. */
export class NatDiscovery {
  private constructor(
    private readonly servers: Started[],
    private readonly folder: string,
  ) {}

  static async start(): Promise<NatDiscovery> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-stun-'));
    const servers = (['v4', 'v6'] as const).map((family) => {
      const listening = Internet.stun.flatMap((site) => ['-L', site[family]]);
      const files = ['--pidfile', path.join(folder, `${family}.pid`), '-b', path.join(folder, `${family}.db`)];
      const words = ['turnserver', '-n', '-v', '-S', ...listening, '-p', String(port), '--no-cli', '--no-tls', '--no-dtls'];
      return new Started('turnserver', 'ip', ['netns', 'exec', Internet.name, ...words, ...files, '--log-file', 'stdout']);
    });
    const discovery = new NatDiscovery(servers, folder);
    try {
      for (const [place, server] of servers.entries()) {
        const second = Internet.stun[1][place === 0 ? 'v4' : 'v6'];
        await server.line(new RegExp(`UDP listener opened on: \\[?${second}\\]?:${port + 1}`));
      }
    } catch (error) {
      await discovery.stop();
      throw error;
    }
    return discovery;
  }

  /** What the routers between this machine and the internet do with UDP; nothing where no answer comes. */
  async find(machine: string, address: string): Promise<{ found?: Behaviour; said: string }> {
    const server = Internet.stun[0][address.includes(':') ? 'v6' : 'v4'];
    const words = ['turnutils_natdiscovery', '-m', '-f', '-L', address, '-p', String(port), server];
    const said = await new Promise<string>((resolve) => {
      execFile('ip', ['netns', 'exec', machine, ...words], { timeout: 60_000 }, (_, out, error) => resolve(out + error));
    });
    const mapping = /(No NAT|NAT with ([\w ]+?) Mapping)/.exec(said);
    const filtering = /NAT with ([\w ]+?) Filtering/.exec(said);
    if (!mapping || !filtering) return { said };
    const dependence = (words?: string) => (words ?? 'Endpoint Independent').toLowerCase() as Dependence;
    const translated = mapping[1] !== 'No NAT';
    return { said, found: { translated, mapping: dependence(mapping[2]), filtering: dependence(filtering[1]) } };
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
