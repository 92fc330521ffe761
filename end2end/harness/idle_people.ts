import WebSocket from 'ws';
import type { Tessro } from './tessro';

type Message = { type: string } & Record<string, any>;

/** Participants without a browser: each opens a socket, comes in and says nothing more. */
export class IdlePeople {
  private readonly sockets: WebSocket[] = [];
  /** What proves who they are, in the order in which they came. */
  readonly tokens: string[] = [];

  /** The server believes `X-Forwarded-For`, so that each of them comes from an address of its own. */
  static readonly environment = { CLIENT_IP_SOURCE: 'RightmostXForwardedFor' };

  constructor(private readonly tessro: Tessro) {}

  /** So many in all, `perSession` to each session. */
  async enter(number: number, perSession: number): Promise<void> {
    for (let begun = 0; begun < number; begun += perSession) {
      const { code } = await this.person({ type: 'create', name: 'Ada', password: null });
      const guests = Math.min(perSession, number - begun) - 1;
      for (let guest = 0; guest < guests; guest += 1) {
        await this.person({ type: 'join', code, name: `Guest ${guest}`, password: null });
      }
    }
  }

  get open(): number {
    return this.sockets.filter((socket) => socket.readyState === WebSocket.OPEN).length;
  }

  leave(): void {
    for (const socket of this.sockets.splice(0)) socket.terminate();
  }

  private async person(first: Message): Promise<{ code: string }> {
    const place = this.sockets.length;
    const address = `10.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`;
    const socket = new WebSocket(`${this.tessro.origin.replace(/^http/, 'ws')}/ws`, {
      origin: this.tessro.origin,
      headers: { 'X-Forwarded-For': address },
      perMessageDeflate: false,
    });
    this.sockets.push(socket);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send(JSON.stringify(first)));
      socket.once('message', (data) => {
        const message = JSON.parse(String(data)) as Message;
        if (message.type === 'welcome') {
          this.tokens.push(message.token);
          resolve({ code: message.snapshot.code });
        } else reject(new Error(`${first.type} was answered with ${String(data)}`));
      });
    });
  }
}
