import type { Page } from '@playwright/test';

/** What the page itself did, noted from inside it before any of its own code ran. */
export interface Instruments {
  /** The configuration of every `RTCPeerConnection` ever built, in order; later `setConfiguration` calls replace it. */
  configurations: RTCConfiguration[];
  /** Weak, so that the instruments keep nothing alive that the page let go. */
  peers: WeakRef<RTCPeerConnection>[];
  /** The peer connections that are not closed, in the order in which they were built. */
  living(): RTCPeerConnection[];
  sockets: WebSocket[];
  memories: WebAssembly.Memory[];
}

declare global {
  interface Window {
    instruments: Instruments;
  }
}

/** Runs in the page, first of all. */
export function install(): void {
  const living = () =>
    instruments.peers.flatMap((weak) => {
      const peer = weak.deref();
      return peer && peer.connectionState !== 'closed' ? [peer] : [];
    });
  const instruments: Instruments = { configurations: [], peers: [], living, sockets: [], memories: [] };
  window.instruments = instruments;

  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    private readonly place: number;

    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.place = instruments.peers.push(new WeakRef<RTCPeerConnection>(this)) - 1;
      instruments.configurations[this.place] = configuration ?? {};
    }

    override setConfiguration(configuration?: RTCConfiguration): void {
      super.setConfiguration(configuration);
      instruments.configurations[this.place] = configuration ?? {};
    }
  };

  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      instruments.sockets.push(this);
    }
  };

  const keep = (instance: WebAssembly.Instance) => {
    for (const value of Object.values(instance.exports)) {
      if (value instanceof WebAssembly.Memory) instruments.memories.push(value);
    }
  };
  const { instantiate, instantiateStreaming } = WebAssembly;
  WebAssembly.instantiate = (async (source: BufferSource & WebAssembly.Module, imports?: WebAssembly.Imports) => {
    const result = await instantiate(source, imports);
    const instance: unknown = 'instance' in result ? result.instance : result;
    keep(instance as WebAssembly.Instance);
    return result;
  }) as typeof WebAssembly.instantiate;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const result = await instantiateStreaming(source, imports);
    keep(result.instance);
    return result;
  };
}

/** How many peer connections the page ever built. */
export function peersBuilt(page: Page): Promise<number> {
  return page.evaluate(() => window.instruments.peers.length);
}

/** The policy of the newest peer connection; browsers take `all` where none is given. */
export function newestPolicy(page: Page): Promise<RTCIceTransportPolicy> {
  return page.evaluate(() => window.instruments.configurations.at(-1)?.iceTransportPolicy ?? 'all');
}

/** Closes every socket from the page's side, as a lost network would. */
export function loseSockets(page: Page): Promise<number> {
  return page.evaluate(() => {
    const open = window.instruments.sockets.filter((socket) => socket.readyState === WebSocket.OPEN);
    for (const socket of open) socket.close();
    return open.length;
  });
}

/** How many sockets are open. */
export function openSockets(page: Page): Promise<number> {
  return page.evaluate(
    () => window.instruments.sockets.filter((socket) => socket.readyState === WebSocket.OPEN).length,
  );
}

/** The size of the app's wasm memory in bytes. */
export function wasmBytes(page: Page): Promise<number> {
  return page.evaluate(() => window.instruments.memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
}
