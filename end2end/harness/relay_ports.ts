import { Namespaces } from './namespaces';

/** Packets, and the bytes that they carry: without the headers of IP and UDP, and without what TURN wraps data in. */
export interface Passed {
  packets: number;
  bytes: number;
}

/** What passed one way. */
export interface Way {
  /** The film, and the handshake of its keys. */
  media: Passed;
  /** By which the two browsers find ways to each other and keep them: STUN inside of TURN. */
  checks: Passed;
  /** Between a browser and the relay itself: addresses, allocations, permissions. */
  control: Passed;
  /** To relayed ports that are closed already. */
  late: Passed;
}

export type Ways = Record<'fromClients' | 'toClients' | 'fromPeers' | 'toPeers', Way>;

/** The headers of IPv4 and UDP. */
const headers = 28;
/** Round a packet of which the relay knows the channel. */
const channelData = 4;
/** Round one that comes before there is a channel: its own header, the peer's address, and the header of the data. */
const indication = 20 + 12 + 4;

/** What one counter counts. */
interface Counter {
  way: keyof Ways;
  what: keyof Way;
  match: string;
  /** Around what is carried, a packet. */
  around: number;
}

/** Bits of a packet, from the beginning of the UDP header. */
const at = (byte: number, bytes: number) => `@th,${byte * 8},${bytes * 8}`;

/** Data that begins at this byte: STUN, and the rest. */
function carried(way: keyof Ways, match: string, begins: number): Counter[] {
  const around = headers - 8 + begins;
  return [
    { way, what: 'checks', match: `${match} ${at(begins, 1)} < 4`, around },
    { way, what: 'media', match, around },
  ];
}

/** At the port where the relay takes browsers; the first that fits counts. */
function door(way: 'fromClients' | 'toClients', port: string): Counter[] {
  const type = way === 'fromClients' ? '0x0016' : '0x0017';
  const shape = `${port} ${at(8, 2)} ${type} ${at(28, 4)} 0x00120008 ${at(40, 2)} 0x0013`;
  // Indications are filled up to whole words; how much is filling follows from the length of the data.
  const filled = [0, 1, 2, 3].flatMap((over) => {
    const counters = carried(way, `${shape} ${at(43, 1)} & 3 == ${over}`, 8 + indication);
    return counters.map((counter) => ({ ...counter, around: counter.around + ((4 - over) % 4) }));
  });
  return [
    ...carried(way, `${port} ${at(8, 1)} & 0xc0 == 0x40`, 8 + channelData),
    ...filled,
    { way, what: 'control', match: port, around: headers },
  ];
}

/**
 * What passes the ports of the built-in relay over UDP, as nft counts it. What comes is counted in the house, what goes at the
 * people's machines: the relay gives the system many packets in one piece, which is cut apart on the line alone.
 *
 * What one allocation sends to another is handed over inside of the relay: it passes the door twice and no relayed port.
 */
export class RelayPorts {
  private readonly counters: Counter[];
  private readonly droppedBefore: number;

  constructor(
    private readonly namespaces: Namespaces,
    doorAt = 3478,
    relayed = '49152-65535',
  ) {
    const { publicAddress: address, house, people } = Namespaces;
    this.counters = [
      ...door('fromClients', `udp dport ${doorAt}`),
      ...carried('fromPeers', `ip daddr ${address} udp dport ${relayed} socket wildcard 0`, 8),
      { way: 'fromPeers', what: 'late', match: `ip daddr ${address} udp dport ${relayed}`, around: headers },
      ...door('toClients', `udp sport ${doorAt}`),
      ...carried('toPeers', `ip saddr ${address} udp sport ${relayed}`, 8),
    ];
    for (const name of [house, ...people]) {
      const rule = (words: string) => namespaces.inside(name, 'nft', words);
      rule('add table inet measured');
      rule(`add chain inet measured ports { type filter hook ${name === house ? 'input' : 'prerouting'} priority 0; }`);
      this.counters.forEach(({ way, match }, number) => {
        if (way.startsWith('from') !== (name === house)) return;
        rule(`add counter inet measured c${number}`);
        rule(`add rule inet measured ports ${match} counter name c${number} return`);
      });
    }
    for (const place of [0, 1]) namespaces.inside(house, 'ip', 'link', 'set', `person${place}`, 'gso_max_segs', '1');
    this.droppedBefore = this.everDropped;
  }

  /** Everything so far. */
  get passed(): Ways {
    const nothing = (): Passed => ({ packets: 0, bytes: 0 });
    const way = (): Way => ({ media: nothing(), checks: nothing(), control: nothing(), late: nothing() });
    const ways: Ways = { fromClients: way(), toClients: way(), fromPeers: way(), toPeers: way() };
    for (const name of [Namespaces.house, ...Namespaces.people]) {
      const listed = JSON.parse(this.namespaces.inside(name, 'nft', '-j', 'list counters table inet measured')) as {
        nftables: { counter?: { name: string; packets: number; bytes: number } }[];
      };
      for (const { counter } of listed.nftables) {
        if (!counter) continue;
        const { way, what, around } = this.counters[Number(counter.name.slice(1))]!;
        ways[way][what].packets += counter.packets;
        ways[way][what].bytes += counter.bytes - around * counter.packets;
      }
    }
    return ways;
  }

  /** Packets that one of the relay's sockets had no room for, or the line to somebody: the meter has them, or nft has, and not both. */
  get dropped(): number {
    return this.everDropped - this.droppedBefore;
  }

  private get everDropped(): number {
    const { house, people } = Namespaces;
    const [names, values] = this.read(house, '/proc/net/snmp').filter(([first]) => first === 'Udp:');
    const sockets = ['RcvbufErrors', 'SndbufErrors', 'MemErrors'].map((name) => Number(values![names!.indexOf(name)]));
    // What is received comes first, and of that the fourth figure is what was dropped.
    const lines = people.map((name) => Number(this.read(name, '/proc/net/dev').find(([device]) => device === 'house:')![4]));
    return [...sockets, ...lines].reduce((sum, figure) => sum + figure, 0);
  }

  private read(name: string, file: string): string[][] {
    const lines = this.namespaces.inside(name, 'cat', file).split('\n');
    return lines.map((line) => line.trim().split(/\s+/));
  }
}

/** Two ways, or kinds, together. */
export function together(...all: Passed[]): Passed {
  return all.reduce((sum, { packets, bytes }) => ({ packets: sum.packets + packets, bytes: sum.bytes + bytes }), { packets: 0, bytes: 0 });
}
