import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { executable } from './chromium';
import type { Kind } from './network_kinds';

/** Which of the two people a network is for: there are two of each kind, so that nobody shares a router. */
export type Side = 'host' | 'guest';

/** A network with one machine in it. */
export interface Network {
  kind: Kind;
  side: Side;
  /** The namespace of the machine. */
  machine: string;
  /** The namespaces of the routers, the person's own first. */
  routers: string[];
  /** The machine's own address, of the first family that it has. */
  address: string;
  /** The nearest router's address towards the machine. */
  router: string;
}

/** The two addresses of a machine on the open internet. */
export interface Site {
  v4: string;
  v6: string;
}

/**
 * An internet in one namespace, and networks with routers of their own around it. The addresses are those that are kept for
 * documentation. Needs Linux and root.
 *
 *     machine --- router --- internet: the app, the relay, STUN with two addresses
 *     machine --- router --- carrier's router --- internet
 */
export class Internet {
  /** Where the app, the relay and a STUN server run. */
  static readonly name = 'tessro-net-internet';
  static readonly app = { name: 'tessro.example', v4: '198.51.100.10', v6: '2001:db8:100::10' };
  static readonly relay = { name: 'turn.example', v4: '198.51.100.11', v6: '2001:db8:100::11' };
  /** Two, for a server that tells what a NAT does. */
  static readonly stun: [Site, Site] = [
    { v4: '198.51.100.20', v6: '2001:db8:100::20' },
    { v4: '198.51.100.21', v6: '2001:db8:100::21' },
  ];
  /** Every address that somebody may have here. */
  static readonly addresses = ['203.0.113.0/24', '2001:db8::/32'];

  readonly networks: Network[] = [];
  private readonly folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-internet-'));

  private constructor() {}

  static make(): Internet {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      throw new Error('Networks are built in network namespaces, which need Linux and root: run this as root.');
    }
    // What a run that was broken off left behind.
    Internet.clear();
    const internet = new Internet();
    Internet.add(Internet.name, { forwards: true });
    for (const { v4, v6 } of [Internet.app, Internet.relay, ...Internet.stun]) {
      ip('-n', Internet.name, 'addr', 'add', `${v4}/32`, 'dev', 'lo');
      ip('-n', Internet.name, 'addr', 'add', `${v6}/128`, 'dev', 'lo', 'nodad');
    }
    return internet;
  }

  /** Builds a network of this kind and connects it. */
  connect(kind: Kind, side: Side): Network {
    const number = this.networks.length;
    const machine = `tessro-net-${number}`;
    const routers = kind.routers.map((_, place) => `${machine}-router${place + 1}`);
    Internet.add(machine, { forwards: false });
    routers.forEach((router, place) => {
      Internet.add(router, { forwards: true });
      inside(router, 'nft', '-f', this.file(`${router}.nft`, `${kind.routers[place]!.join('\n')}\n`));
    });
    const row = [machine, ...routers, Internet.name];
    row.slice(1).forEach((outer, place) => {
      const inward = outer === Internet.name ? `to-${number}` : 'inward';
      ip('-n', row[place]!, 'link', 'add', 'outward', 'type', 'veth', 'peer', 'name', inward, 'netns', outer);
      ip('-n', row[place]!, 'link', 'set', 'outward', 'up');
      ip('-n', outer, 'link', 'set', inward, 'up');
      if (kind.families.includes(4)) {
        const [own, other] = between(number, place, routers.length);
        ip('-n', row[place]!, 'addr', 'add', own, 'peer', other, 'dev', 'outward');
        ip('-n', outer, 'addr', 'add', other, 'peer', own, 'dev', inward);
        ip('-n', row[place]!, 'route', 'add', 'default', 'via', other, 'dev', 'outward');
      }
      if (kind.families.includes(6)) {
        ip('-n', row[place]!, 'addr', 'add', 'fe80::2/64', 'dev', 'outward', 'nodad');
        ip('-n', outer, 'addr', 'add', 'fe80::1/64', 'dev', inward, 'nodad');
        if (place === 0) ip('-n', machine, 'addr', 'add', `${prefix(number)}::2/128`, 'dev', 'outward', 'nodad');
        ip('-n', row[place]!, '-6', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'outward');
        ip('-n', outer, '-6', 'route', 'add', `${prefix(number)}::/64`, 'via', 'fe80::2', 'dev', inward);
      }
    });
    const [own, router] = kind.families.includes(4) ? between(number, 0, routers.length) : [`${prefix(number)}::2`, 'fe80::1'];
    const network = { kind, side, machine, routers, address: own, router };
    this.networks.push(network);
    return network;
  }

  /** A program that is Chromium on that machine, which looks names up as that machine does. */
  chromiumAt({ kind, machine }: Network): string {
    const wrapper = path.join(this.folder, `chromium-at-${machine}`);
    // Chromium looks relays up with the dot at the end.
    const known = [Internet.app, Internet.relay].flatMap(({ name, v4, v6 }) => [
      ...(kind.families.includes(4) ? [`${v4} ${name} ${name}.`] : []),
      ...(kind.families.includes(6) ? [`${v6} ${name} ${name}.`] : []),
    ]);
    // Behind a proxy nobody but the proxy looks names up.
    const hosts = this.file(`${machine}.hosts`, ['127.0.0.1 localhost', ...(kind.web === 'proxy' ? [] : known), ''].join('\n'));
    // Nobody answers there, and says so at once.
    const resolver = this.file(`${machine}.resolv`, 'nameserver 127.0.0.1\n');
    const script = `mount --bind ${hosts} /etc/hosts && mount --bind ${resolver} /etc/resolv.conf && exec ${executable} "$@"`;
    writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${machine} sh -c '${script}' sh "$@"\n`);
    chmodSync(wrapper, 0o755);
    return wrapper;
  }

  /** The address that the carrier gave to the nearest router of this network. */
  between(network: Network): string {
    return between(this.networks.indexOf(network), 1, network.routers.length)[0];
  }

  remove(): void {
    Internet.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Removes what there is of them, and ends what still runs inside: nothing of anybody else lives there. */
  static clear(): void {
    const all = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
    for (const name of all.map((line) => line.split(' ')[0]!).filter((name) => name.startsWith('tessro-net-'))) {
      const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
      for (const pid of pids.split('\n').filter(Boolean)) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It ended meanwhile.
        }
      }
      ip('netns', 'del', name);
    }
  }

  private static add(name: string, { forwards }: { forwards: boolean }): void {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    const settings = ['net.ipv6.conf.default.accept_ra=0', 'net.ipv6.conf.default.accept_dad=0'];
    if (forwards) settings.push('net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    inside(name, 'sysctl', '-qw', ...settings);
  }

  private file(name: string, text: string): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }
}

/** The addresses of a line: the inner end, and the outer one. `place` counts from the machine. */
function between(number: number, place: number, routers: number): [string, string] {
  if (place === routers) return [`203.0.113.${10 + number}`, '192.0.2.1'];
  if (place === 0) return ['192.168.1.2', '192.168.1.1'];
  return [`100.64.${number}.2`, `100.64.${number}.1`];
}

/** The IPv6 network of a machine. */
function prefix(number: number): string {
  return `2001:db8:0:${(16 + number).toString(16)}`;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function inside(name: string, ...command: string[]): void {
  execFileSync('ip', ['netns', 'exec', name, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
}
