import { Internet, type Network } from './internet';
import { proxyPort } from './network_kinds';
import { Started } from './process';

/** An HTTP proxy as offices have them: on the router, for CONNECT to port 443 and nothing else. */
export class ConnectProxy {
  private constructor(private readonly process: Started) {}

  static async start({ routers, router }: Network): Promise<ConnectProxy> {
    const names = Object.fromEntries([Internet.app, Internet.relay].map(({ name, v4 }) => [name, v4]));
    const program = `(${serve.toString()})(${JSON.stringify({ address: router, port: proxyPort, names })})`;
    const node = new Started('proxy', 'ip', ['netns', 'exec', routers[0]!, process.execPath, '-e', program]);
    await node.line(/^listening$/);
    return new ConnectProxy(node);
  }

  /** What it was asked for and what it answered, one line each: `CONNECT turn.example:443 200`. */
  get log(): string[] {
    return this.process.lines.filter((line) => line !== 'listening');
  }

  async stop(): Promise<void> {
    await this.process.end('SIGKILL');
  }
}

/** Runs in a Node of its own, in the router's namespace. */
function serve({ address, port, names }: { address: string; port: number; names: Record<string, string> }): void {
  const http = require('node:http') as typeof import('node:http');
  const net = require('node:net') as typeof import('node:net');
  const server = http.createServer((request, response) => {
    console.log(`${request.method} ${request.url} 403`);
    response.writeHead(403).end();
  });
  server.on('connect', (request, socket) => {
    const [, host, to] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(request.url ?? '') ?? [];
    const refuse = (status: string) => {
      console.log(`CONNECT ${request.url} ${status}`);
      socket.end(`HTTP/1.1 ${status}\r\n\r\n`);
    };
    socket.on('error', () => socket.destroy());
    if (!host || to !== '443') return refuse('403 Forbidden');
    const there = net.connect(443, names[host] ?? host);
    there.once('error', () => refuse('502 Bad Gateway'));
    there.once('connect', () => {
      there.removeAllListeners('error').on('error', () => socket.destroy());
      console.log(`CONNECT ${request.url} 200`);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(there).pipe(socket);
      for (const [one, other] of [[socket, there], [there, socket]] as const) one.once('close', () => other.destroy());
    });
  });
  server.listen(port, address, () => console.log('listening'));
}
