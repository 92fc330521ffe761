import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { executable } from './chromium';

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
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
  /** Where the house finds what the test itself serves. */
  static readonly test = '10.77.0.1';

  private readonly folder = mkdtempSync(path.join(os.tmpdir(), 'tessro-namespaces-'));

  private constructor() {}

  static make(): Namespaces {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      throw new Error('Network namespaces need Linux and root: run the browser tests as root, or leave this one out.');
    }
    const namespaces = new Namespaces();
    // What a run that was broken off left behind.
    namespaces.clear();
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
    people.forEach((person, place) => {
      const net = `10.77.${place + 1}`;
      ip('-n', house, 'link', 'add', `person${place}`, 'type', 'veth', 'peer', 'name', 'house', 'netns', person);
      ip('-n', house, 'addr', 'add', `${net}.1/24`, 'dev', `person${place}`);
      ip('-n', house, 'link', 'set', `person${place}`, 'up');
      ip('-n', person, 'addr', 'add', `${net}.2/24`, 'dev', 'house');
      ip('-n', person, 'link', 'set', 'house', 'up');
      ip('-n', person, 'route', 'add', 'default', 'via', `${net}.1`);
    });
    namespaces.inside(house, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    namespaces.inside(house, 'nft', 'add table inet tessro');
    namespaces.inside(house, 'nft', 'add chain inet tessro people { type filter hook forward priority 0; }');
    namespaces.inside(house, 'nft', 'add rule inet tessro people meta l4proto udp counter drop');
    return namespaces;
  }

  inside(name: string, ...command: string[]): string {
    return execFileSync('ip', ['netns', 'exec', name, ...command], { encoding: 'utf8' });
  }

  /** How many packets of the people to each other were dropped: none would mean that nothing was blocked. */
  get dropped(): number {
    const rules = this.inside(Namespaces.house, 'nft', 'list chain inet tessro people');
    return Number(/counter packets (\d+)/.exec(rules)?.[1] ?? 0);
  }

  /** A program that is Chromium in that namespace: the pipe by which it is driven passes through. */
  chromiumIn(name: string): string {
    const wrapper = path.join(this.folder, `chromium-in-${name}`);
    writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${name} ${executable} "$@"\n`);
    chmodSync(wrapper, 0o755);
    return wrapper;
  }

  remove(): void {
    this.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private clear(): void {
    for (const name of [Namespaces.house, ...Namespaces.people]) {
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
}
