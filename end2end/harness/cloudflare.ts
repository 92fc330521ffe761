import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { sign, stunOf } from './coturn';
import type { Environment } from './tessro';

/** What the stand-in does instead of minting. */
export type Fault = { status: number } | 'hang' | 'garbage';

/**
 * Cloudflare's TURN API as far as Tessro speaks it, on loopback. The credentials that it mints are real ones for the
 * relay of the test (coturn's shared-secret scheme), so that only the paid API is pretended.
 */
export class Cloudflare {
  static readonly key = 'key0123456789';
  static readonly token = 'token-of-the-stand-in';

  /** The key that it knows and the token that goes with it. */
  accepts = { key: Cloudflare.key, token: Cloudflare.token };
  fault?: Fault;
  /** How long a mint takes. */
  delayMs = 0;
  /** Bodies of the requests that were answered with credentials. */
  readonly mints: { ttl?: number }[] = [];
  /** User names and credentials handed out. */
  readonly minted: { username: string; credential: string }[] = [];
  /** Every request, answered or not. */
  requests = 0;

  private constructor(
    private readonly server: http.Server,
    private readonly address: string,
    private readonly relay: { urls: string[]; secret: string },
  ) {}

  static async start(relay: { urls: string[]; secret: string }, address = '127.0.0.1'): Promise<Cloudflare> {
    const server = http.createServer();
    const cloudflare = new Cloudflare(server, address, relay);
    server.on('request', (request, response) => void cloudflare.answer(request, response));
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
    return cloudflare;
  }

  /** Where its API is. */
  get base(): string {
    return `http://${this.address}:${(this.server.address() as AddressInfo).port}`;
  }

  /** What Tessro is told about it. */
  get environment(): Environment {
    return {
      CLOUDFLARE_TURN_KEY_ID: Cloudflare.key,
      CLOUDFLARE_TURN_API_TOKEN: Cloudflare.token,
      CLOUDFLARE_TURN_API_BASE: this.base,
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.requests += 1;
    let body = '';
    for await (const chunk of request) body += chunk;
    if (this.fault === 'hang') return;
    if (this.delayMs > 0) await sleep(this.delayMs);
    if (this.fault === 'garbage') {
      response.writeHead(201, { 'Content-Type': 'application/json' }).end('<html>not what you asked for');
      return;
    }
    if (this.fault) {
      response.writeHead(this.fault.status).end();
      return;
    }
    if (request.url !== `/v1/turn/keys/${this.accepts.key}/credentials/generate-ice-servers`) {
      response.writeHead(404).end();
      return;
    }
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    if (request.headers.authorization !== `Bearer ${this.accepts.token}`) {
      response.writeHead(401).end();
      return;
    }
    const asked = JSON.parse(body) as { ttl?: number };
    this.mints.push(asked);
    const { username, credential } = sign(this.relay.secret, asked.ttl ?? 86_400);
    this.minted.push({ username, credential });
    const stun = stunOf(this.relay.urls);
    response.writeHead(201, { 'Content-Type': 'application/json' }).end(
      // The shape of the newest documentation: an entry without credentials and one with.
      JSON.stringify({ iceServers: [{ urls: [stun] }, { urls: this.relay.urls, username, credential }] }),
    );
  }
}
