import dgram from 'node:dgram';

/**
 * A way over UDP to somebody on this machine that is as long as it is told. As behind a NAT each caller is seen over there at an address
 * that is not its own: a browser that asks for its address is told something new.
 */
export class Forwarder {
  private readonly callers = new Map<string, dgram.Socket>();
  private open = true;

  private constructor(
    private readonly door: dgram.Socket,
    private readonly delayMs: number,
  ) {}

  /** `delayMs`: how long a packet takes, each way. */
  static async start(to: { address: string; port: number }, delayMs = 0): Promise<Forwarder> {
    const door = dgram.createSocket('udp4');
    const forwarder = new Forwarder(door, delayMs);
    door.on('message', (packet, { address, port }) => {
      forwarder.pass(forwarder.caller(address, port), packet, to);
    });
    await new Promise<void>((resolve, reject) => door.once('error', reject).bind(0, '127.0.0.1', resolve));
    return forwarder;
  }

  /** Where it begins, on this machine. */
  get port(): number {
    return this.door.address().port;
  }

  async stop(): Promise<void> {
    this.open = false;
    const sockets = [this.door, ...this.callers.values()];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  /** What stands for this caller on the other side, and takes the answers. */
  private caller(address: string, port: number): dgram.Socket {
    const known = this.callers.get(`${address}:${port}`);
    if (known) return known;
    const socket = dgram.createSocket('udp4');
    socket.on('message', (packet) => this.pass(this.door, packet, { address, port }));
    this.callers.set(`${address}:${port}`, socket);
    return socket;
  }

  private pass(from: dgram.Socket, packet: Buffer, { address, port }: { address: string; port: number }): void {
    const send = () => {
      // As on any line, what cannot be delivered is lost.
      if (this.open) from.send(packet, port, address, () => {});
    };
    if (this.delayMs > 0) setTimeout(send, this.delayMs);
    else send();
  }
}
