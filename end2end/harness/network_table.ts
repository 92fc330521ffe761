import { test } from '@playwright/test';
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { kinds } from './network_kinds';

/** By what either end reaches the relay: `udp`, `tcp` or `tls`, or `-` where it needs none. */
export interface Ends {
  host: string;
  guest: string;
}

/** How the film came from one network into another. */
export interface Crossing {
  host: string;
  guest: string;
  /** Nothing: it came directly. */
  relay?: Ends;
  /** From the guest's press on join to the first frame. */
  seconds: number;
  /** What the server counted as relayed, in bytes. */
  relayed: number;
}

/** What guides to WebRTC say of a network, and which of ours it means. */
const said = [
  { network: 'open internet', direct: 'yes', relay: 'no', kinds: ['open internet'] },
  { network: 'home router', direct: 'usually', relay: 'usually not', kinds: ['endpoint-independent NAT', 'port-restricted NAT'] },
  {
    network: 'corporate firewall',
    direct: 'often not',
    relay: 'yes',
    kinds: ['UDP blocked', 'only TCP on port 443', 'only an HTTP proxy'],
  },
  { network: 'symmetric NAT', direct: 'no', relay: 'yes', kinds: ['symmetric NAT'] },
  { network: 'mobile carrier’s NAT', direct: 'sometimes', relay: 'recommended', kinds: ['carrier-grade double NAT'] },
];

const type = 'crossing';

/** Writes a crossing down for the table. */
export function crossed(crossing: Crossing): void {
  const { host, guest, relay, seconds, relayed } = crossing;
  const way = relay ? `relay, ${relay.host} / ${relay.guest}` : 'direct';
  console.log(`  host in ${host}, guest in ${guest}: ${way}, ${seconds.toFixed(2)} s, ${relayed} bytes relayed`);
  test.info().annotations.push({ type, description: JSON.stringify(crossing) });
}

/** Prints at the end of a run what stands in docs/networks.md. */
export default class NetworkTable implements Reporter {
  private readonly crossings: Crossing[] = [];

  onTestEnd(_: TestCase, { annotations }: TestResult): void {
    for (const annotation of annotations) {
      if (annotation.type === type) this.crossings.push(JSON.parse(annotation.description!) as Crossing);
    }
  }

  onEnd(): void {
    if (this.crossings.length === 0) return;
    const everyone = kinds.map((host) => [`**${host.name}**`, ...kinds.map((guest) => this.cell(host.name, guest.name))]);
    print('The table of networks', ['host in, guest in:', ...kinds.map(({ short }) => short)], everyone);
    const beside = said.map(({ network, direct, relay, kinds: ours }) => [network, direct, relay, this.measured(ours)]);
    print('What guides say, and what came out', ['network', 'direct?', 'relay needed?', 'here, as host and as guest'], beside);
    const direct = this.crossings.filter(({ relay }) => !relay);
    const seconds = this.crossings.map(({ seconds }) => seconds).sort((a, b) => a - b);
    const [middle, longest] = [seconds[Math.floor(seconds.length / 2)]!, seconds.at(-1)!].map((time) => time.toFixed(1));
    const most = Math.max(0, ...direct.map(({ relayed }) => relayed));
    console.log(`\n${this.crossings.length} of ${kinds.length ** 2} pairs saw the film, ${direct.length} of them directly.`);
    console.log(`First frame: half of them within ${middle} s, all within ${longest} s.`);
    console.log(`Counted as relayed for a pair that was direct: ${most} bytes at most.`);
  }

  printsToStdio(): boolean {
    return false;
  }

  private cell(host: string, guest: string): string {
    const crossing = this.crossings.find((one) => one.host === host && one.guest === guest);
    if (!crossing) return 'nothing';
    const { relay, seconds } = crossing;
    return `${relay ? `${relay.host} / ${relay.guest}` : 'direct'} ${seconds.toFixed(1)}`;
  }

  /** Of the pairs with somebody in one of these networks. */
  private measured(names: string[]): string {
    const theirs = this.crossings.filter(({ host, guest }) => names.includes(host) || names.includes(guest));
    const direct = theirs.filter(({ relay }) => !relay).length;
    return `${direct} of ${theirs.length} pairs direct, ${theirs.length - direct} over the relay`;
  }
}

/** As Markdown. */
function print(title: string, head: string[], rows: string[][]): void {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  console.log(`\n${title}\n\n${lines.join('\n')}`);
}
