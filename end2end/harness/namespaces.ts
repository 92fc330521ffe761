import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { executable } from './chromium';
import { Started } from './process';

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** One of the two people. */
export type Place = 0 | 1;

/** What a line is like, each way. */
export interface Line {
  bitsPerSecond: number;
  delayMs: number;
  lossPercent: number;
  /** What waits in front of it at most. */
  queueMs: number;
}

/**
 * Three machines in one: `house` with the server and the relay, and one for each of two people, who reach the house and
 * each other through it. UDP between the people is dropped, as firewalls do; all else passes. Needs Linux and root.
 *
 *     the test  10.77.0.1 --- 10.77.0.2  house  10.77.1.1 --- 10.77.1.2  first
 *                                               10.77.2.1 --- 10.77.2.2  second
 */
export class Namespaces {
  static readonly house = 'tessro-house';
  static readonly people = ['tessro-first', 'tessro-second'] as const;
  /** Where the house is found by everyone. */
  static readonly address = '10.77.0.2';
  /** The same machine by an address as the open internet has them: nothing leaves these namespaces. */
  static readonly publicAddress = '11.22.33.44';
  /** Where the house finds what the test itself serves. */
  static readonly test = '10.77.0.1';

  private readonly folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-namespaces-'));
  private readonly lines: Started[] = [];
  /** The last figure of each person's address. */
  private readonly last = [2, 2];

  private constructor() {}

  static make(): Namespaces {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      throw new Error('Network namespaces need Linux and root: run the browser tests as root, or leave this one out.');
    }
    // What a run that was broken off left behind.
    Namespaces.clear();
    const namespaces = new Namespaces();
    const { house, people, address, test } = Namespaces;
    for (const name of [house, ...people]) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    ip('link', 'add', 'tessro-test', 'type', 'veth', 'peer', 'name', 'test', 'netns', house);
    ip('addr', 'add', `${test}/24`, 'dev', 'tessro-test');
    ip('link', 'set', 'tessro-test', 'up');
    ip('-n', house, 'addr', 'add', `${address}/24`, 'dev', 'test');
    ip('-n', house, 'link', 'set', 'test', 'up');
    ip('-n', house, 'addr', 'add', `${Namespaces.publicAddress}/32`, 'dev', 'lo');
    people.forEach((person, place) => {
      ip('-n', house, 'link', 'add', `person${place}`, 'type', 'veth', 'peer', 'name', 'house', 'netns', person);
      ip('-n', house, 'addr', 'add', `10.77.${place + 1}.1/24`, 'dev', `person${place}`);
      ip('-n', house, 'link', 'set', `person${place}`, 'up');
      namespaces.connect(place as Place);
    });
    namespaces.inside(house, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    namespaces.rule('add table inet tessro');
    namespaces.rule('add set inet tessro lost { type ifname; }');
    for (const hook of ['input', 'forward', 'output']) {
      namespaces.rule(`add chain inet tessro ${hook} { type filter hook ${hook} priority -10; }`);
      if (hook !== 'output') namespaces.rule(`add rule inet tessro ${hook} iifname @lost drop`);
      if (hook !== 'input') namespaces.rule(`add rule inet tessro ${hook} oifname @lost drop`);
    }
    namespaces.rule('add chain inet tessro people { type filter hook forward priority 0; }');
    namespaces.blockDirect();
    return namespaces;
  }

  inside(name: string, ...command: string[]): string {
    return execFileSync('ip', ['netns', 'exec', name, ...command], { encoding: 'utf8' });
  }

  /** Nothing goes straight from one person to the other any more, as most firewalls have it. */
  blockDirect(): void {
    this.rule('flush chain inet tessro people');
    this.rule('add rule inet tessro people meta l4proto udp counter drop');
  }

  /**
   * Somebody's own firewall takes UDP from a relay at this port alone, and nothing that others have relayed there. On their
   * machine: a relay that is told by its own system that it may not send gives its socket up.
   */
  blockAllButTheDoorOf(port: number, place: Place): void {
    const rule = (words: string) => this.inside(Namespaces.people[place], 'nft', words);
    rule('add table inet tessro');
    rule('add chain inet tessro relayed { type filter hook input priority 0; }');
    rule(`add rule inet tessro relayed udp sport 50000-51999 udp sport != ${port} drop`);
  }

  /** This person's network takes no UDP at all, as those of many offices and hotels. */
  blockUdp(place: Place): void {
    for (const hook of ['input', 'forward']) this.rule(`add rule inet tessro ${hook} iifname person${place} meta l4proto udp drop`);
  }

  /** People reach each other. */
  openDirect(): void {
    this.rule('flush chain inet tessro people');
  }

  /** How many packets of the people to each other were dropped: none would mean that nothing was blocked. */
  get dropped(): number {
    const rules = this.inside(Namespaces.house, 'nft', 'list chain inet tessro people');
    return Number(/counter packets (\d+)/.exec(rules)?.[1] ?? 0);
  }

  /** Every packet from and to this person is lost; their device notices nothing, as in a tunnel. */
  lose(place: Place): void {
    this.rule(`add element inet tessro lost { "person${place}" }`);
  }

  /** The end of `lose`. */
  find(place: Place): void {
    this.rule(`delete element inet tessro lost { "person${place}" }`);
  }

  /** The cable is pulled; the address goes with it. */
  disconnect(place: Place): void {
    ip('-n', Namespaces.people[place], 'link', 'set', 'house', 'down');
    ip('-n', Namespaces.people[place], 'addr', 'flush', 'dev', 'house');
    this.last[place]! += 1;
  }

  /** The end of `disconnect`, with an address that was not had before. */
  connect(place: Place): void {
    const [person, net] = [Namespaces.people[place], `10.77.${place + 1}`];
    ip('-n', person, 'addr', 'add', `${net}.${this.last[place]}/24`, 'dev', 'house');
    ip('-n', person, 'link', 'set', 'house', 'up');
    ip('-n', person, 'route', 'add', 'default', 'via', `${net}.1`);
  }

  /** Puts a narrow line between this person and everyone else, in place of the wide one. */
  async narrow(place: Place, { bitsPerSecond, delayMs, lossPercent, queueMs }: Line): Promise<void> {
    const [house, person, net] = [Namespaces.house, Namespaces.people[place], `10.78.${place + 1}`];
    const program = path.join(this.folder, 'narrow_line');
    execFileSync('cc', ['-O2', '-o', program, path.join(__dirname, 'narrow_line.c')]);
    const line = new Started('narrow_line', program, [
      house, person, String(bitsPerSecond), String(delayMs), String(lossPercent), String(queueMs),
    ]);
    this.lines.push(line);
    await line.line(/^ready$/);
    this.disconnect(place);
    for (const [name, own, other] of [[house, `${net}.1`, `${net}.2`], [person, `${net}.2`, `${net}.1`]] as const) {
      ip('-n', name, 'addr', 'add', own, 'peer', other, 'dev', 'line');
      ip('-n', name, 'link', 'set', 'line', 'up');
    }
    ip('-n', person, 'route', 'add', 'default', 'via', `${net}.1`);
  }

  /** A program that is Chromium in that namespace: the pipe by which it is driven passes through. */
  chromiumIn(name: string): string {
    const wrapper = path.join(this.folder, `chromium-in-${name}`);
    writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${name} ${executable} "$@"\n`);
    chmodSync(wrapper, 0o755);
    return wrapper;
  }

  async remove(): Promise<void> {
    for (const line of this.lines.splice(0)) await line.end('SIGKILL');
    Namespaces.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Removes what there is of them, and ends what still runs inside: nothing of anybody else lives there. */
  static clear(): void {
    for (const name of [Namespaces.house, ...Namespaces.people]) {
      try {
        const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
        for (const pid of pids.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
      } catch {
        // No such namespace, or the process ended meanwhile.
      }
      try {
        ip('netns', 'del', name);
      } catch {
        // It was not there.
      }
    }
    try {
      // It goes with the namespace at its other end, but not at once.
      ip('link', 'del', 'tessro-test');
    } catch {
      // It was not there.
    }
  }

  private rule(rule: string): void {
    this.inside(Namespaces.house, 'nft', rule);
  }
}
