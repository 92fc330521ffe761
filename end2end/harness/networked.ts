import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium as launcher, test as base, type Browser } from '@playwright/test';
import { chromium } from './chromium';
import { ConnectProxy } from './connect_proxy';
import { Internet, type Network, type Side } from './internet';
import { NatDiscovery } from './nat_discovery';
import { kinds, proxyPort, type Kind } from './network_kinds';
import { Person } from './people';
import { Tessro } from './tessro';

/** The app with its built-in relay on the open internet, and two networks of each kind around it. */
export class Stage {
  /** As everyone types it. */
  static readonly origin = `https://${Internet.app.name}`;

  readonly relay = Internet.relay;
  private readonly browsers = new Map<Network, Promise<Browser>>();

  constructor(
    readonly internet: Internet,
    readonly discovery: NatDiscovery,
    readonly tessro: Tessro,
    private readonly proxies: Map<Network, ConnectProxy>,
  ) {}

  network(kind: Kind, side: Side): Network {
    return this.internet.networks.find((network) => network.kind === kind && network.side === side)!;
  }

  /** What the proxy of this network was asked for; nothing where there is none. */
  proxied(network: Network): string[] {
    return this.proxies.get(network)?.log ?? [];
  }

  /** Somebody at the machine of this network who has not opened anything yet. */
  async arrive(network: Network): Promise<Person> {
    const proxy = network.kind.web === 'proxy' ? { server: `http://${network.router}:${proxyPort}` } : undefined;
    const executablePath = this.internet.chromiumAt(network);
    const browser = this.browsers.get(network) ?? launcher.launch({ ...chromium({ certificates: 'any', executablePath }), proxy });
    this.browsers.set(network, browser);
    return Person.arrive(await browser, Stage.origin, { ignoreHTTPSErrors: true });
  }

  /** Closes the browser of this network. */
  async leave(network: Network): Promise<void> {
    const browser = this.browsers.get(network);
    this.browsers.delete(network);
    await (await browser)?.close();
  }

  async close(): Promise<void> {
    for (const network of [...this.browsers.keys()]) await this.leave(network);
  }
}

/** One stage for all tests of a run: nothing on it changes but who is there. */
export const networks = base.extend<object, { stage: Stage }>({
  stage: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      // What was started is ended, last first, however far it came.
      const endings: (() => Promise<void> | void)[] = [];
      try {
        const internet = Internet.make();
        endings.push(() => internet.remove());
        const folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-certificate-'));
        endings.push(() => rmSync(folder, { recursive: true, force: true }));
        for (const kind of kinds) for (const side of ['host', 'guest'] as const) internet.connect(kind, side);
        const discovery = await NatDiscovery.start();
        endings.push(() => discovery.stop());
        const proxies = new Map<Network, ConnectProxy>();
        for (const network of internet.networks.filter(({ kind }) => kind.web === 'proxy')) {
          const proxy = await ConnectProxy.start(network);
          endings.push(() => proxy.stop());
          proxies.set(network, proxy);
        }
        const tessro = await Tessro.start(settings(folder), { address: '::', port: 443, namespace: Internet.name });
        endings.push(() => tessro.dispose());
        const stage = new Stage(internet, discovery, tessro, proxies);
        endings.push(() => stage.close());
        await use(stage);
      } finally {
        for (const end of endings.reverse()) await end();
      }
    },
    { scope: 'worker', timeout: 60_000 },
  ],
});

/** As a server is set up that people in any network are to reach: everything on port 443, and the relay on its own port too. */
function settings(folder: string): Record<string, string> {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => path.join(folder, name)) as [string, string];
  const names = [Internet.app, Internet.relay].map(({ name }) => `DNS:${name}`).join(',');
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const named = ['-subj', `/CN=${Internet.app.name}`, '-addext', `subjectAltName=${names}`];
  execFileSync('openssl', ['req', '-x509', ...kind, ...named, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return {
    CLIENT_URL: Stage.origin,
    RATE_LIMIT_CREDENTIALS: '100000/1m',
    TLS_CERT: cert,
    TLS_KEY: key,
    TURN_PROVIDERS: 'relay',
    TURN_RELAY_NAME: Internet.relay.name,
    TURN_RELAY_PUBLIC_ADDRESS: `${Internet.relay.v4},${Internet.relay.v6}`,
    TURN_RELAY_TLS_PORT: '443',
    // Addresses for documentation are nobody's out there, so it would refuse them.
    TURN_RELAY_ALLOWED_PEERS: Internet.addresses.join(','),
  };
}
