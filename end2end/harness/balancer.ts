import net from 'node:net';

/** A plain TCP balancer: it knows nothing of what passes, and goes to the next server where one does not answer. */
export class Balancer {
  /** Which server new connections go to first. */
  first = 0;

  private readonly sockets = new Set<net.Socket>();

  private constructor(
    private readonly server: net.Server,
    private readonly ports: number[],
  ) {}

  static async before(ports: number[]): Promise<Balancer> {
    const server = net.createServer();
    const balancer = new Balancer(server, ports);
    server.on('connection', (visitor) => balancer.lead(visitor, balancer.first, ports.length));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private lead(visitor: net.Socket, to: number, left: number): void {
    if (left === 0) return void visitor.destroy();
    const server = net.connect(this.ports[to % this.ports.length]!, '127.0.0.1');
    let connected = false;
    server.once('connect', () => {
      connected = true;
      for (const socket of [visitor, server]) this.sockets.add(socket.setNoDelay());
      visitor.pipe(server).pipe(visitor);
    });
    server.on('error', () => (connected ? visitor.destroy() : this.lead(visitor, to + 1, left - 1)));
    server.on('close', () => connected && visitor.destroy());
    visitor.on('error', () => server.destroy());
    visitor.on('close', () => server.destroy());
  }
}
