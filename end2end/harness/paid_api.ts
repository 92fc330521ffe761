import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { sign, stunOf, type Coturn } from './coturn';
import type { Environment } from './tessro';

interface Login {
  username: string;
  credential: string;
}

/** What a provider answers; nothing: it does not know the request. */
type Answer = { status: number; body: unknown } | undefined;

interface Kind {
  /** How Tessro writes its name. */
  title: string;
  environment(base: string): Environment;
  /** `mint` gives a login that the relay takes for so many seconds. */
  answer(request: http.IncomingMessage, body: string, mint: (life: number) => Login, urls: string[]): Answer;
}

const basic = (name: string, secret: string) => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

/** The paid APIs beside Cloudflare's, in the shapes of their documentation. */
export const paidApis = {
  twilio: {
    title: 'Twilio',
    environment: (base) => ({ TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`, TWILIO_AUTH_TOKEN: 'twilio-token', TWILIO_API_BASE: base }),
    answer({ method, url, headers }, body, mint, urls) {
      const sid = `AC${'0'.repeat(32)}`;
      if (method !== 'POST' || url !== `/2010-04-01/Accounts/${sid}/Tokens.json`) return undefined;
      if (headers.authorization !== basic(sid, 'twilio-token')) return { status: 401, body: { code: 20003, status: 401 } };
      const life = Number(new URLSearchParams(body).get('Ttl') ?? 86_400);
      const { username, credential } = mint(life);
      const server = (address: string) => ({ url: address, urls: address });
      return {
        status: 201,
        body: {
          ice_servers: [server(`${stunOf(urls)}?transport=udp`), ...urls.map((address) => ({ ...server(address), username, credential }))],
          username,
          password: credential,
          ttl: String(life),
        },
      };
    },
  },
  xirsys: {
    title: 'Xirsys',
    environment: (base) => ({ XIRSYS_IDENT: 'ident', XIRSYS_SECRET: 'xirsys-secret', XIRSYS_CHANNEL: 'cinema', XIRSYS_API_BASE: base }),
    answer({ method, url, headers }, body, mint, urls) {
      if (method !== 'PUT' || url !== '/_turn/cinema') return undefined;
      if (headers.authorization !== basic('ident', 'xirsys-secret')) return { status: 200, body: { s: 'error', v: 'unauthorized' } };
      const { expire } = JSON.parse(body) as { expire?: number | string };
      return { status: 200, body: { v: { iceServers: { ...mint(Number(expire ?? 60)), urls: [stunOf(urls), ...urls] } }, s: 'ok' } };
    },
  },
  metered: {
    title: 'Metered',
    environment: (base) => ({ METERED_APP: 'cinema', METERED_SECRET_KEY: 'metered-secret', METERED_API_BASE: base }),
    answer({ method, url }, body, mint, urls) {
      const { pathname, searchParams } = new URL(url!, 'http://loopback');
      if (method === 'POST' && pathname === '/api/v1/turn/credential') {
        if (searchParams.get('secretKey') !== 'metered-secret') return { status: 401, body: { message: 'Invalid secret key' } };
        const { expiryInSeconds, label } = JSON.parse(body) as { expiryInSeconds: number; label: string };
        const { username, credential } = mint(expiryInSeconds);
        // The key by which its servers are fetched holds the login itself, so that nothing has to be remembered.
        const apiKey = Buffer.from(JSON.stringify({ username, credential })).toString('base64url');
        return { status: 200, body: { username, password: credential, expiryInSeconds, label, apiKey } };
      }
      if (method === 'GET' && pathname === '/api/v1/turn/credentials') {
        const login = JSON.parse(Buffer.from(searchParams.get('apiKey') ?? '', 'base64url').toString()) as Login;
        return { status: 200, body: [{ urls: stunOf(urls) }, ...urls.map((address) => ({ urls: address, ...login }))] };
      }
      return undefined;
    },
  },
} satisfies Record<string, Kind>;

/** A paid API on loopback. The logins that it mints are real ones for the relay of the test, so that only the API is pretended. */
export class PaidApi {
  private constructor(
    private readonly server: http.Server,
    private readonly kind: Kind,
  ) {}

  static async start(kind: Kind, { relay: { urls, secret } }: Coturn): Promise<PaidApi> {
    const mint = (life: number) => sign(secret, life);
    const server = http.createServer((request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request) body += chunk;
        const { status, body: answer } = kind.answer(request, body, mint, urls) ?? { status: 404, body: {} };
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
      })();
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return new PaidApi(server, kind);
  }

  get environment(): Environment {
    return this.kind.environment(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
