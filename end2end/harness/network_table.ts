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

/** What guides to WebRTC say of networks: whether there is a direct way, and whether a relay is needed. */
const said: Record<string, [string, string, string]> = {
  'open internet': ['open internet', 'yes', 'no'],
  'endpoint-independent NAT': ['home router', 'usually', 'usually not'],
  'port-restricted NAT': ['home router', 'usually', 'usually not'],
  'symmetric NAT': ['symmetric NAT', 'no', 'yes'],
  'carrier-grade double NAT': ['mobile carrier’s NAT', 'sometimes', 'recommended'],
  'UDP blocked': ['corporate firewall', 'often not', 'yes'],
  'only TCP on port 443': ['corporate firewall', 'often not', 'yes'],
  'only an HTTP proxy': ['corporate firewall', 'often not', 'yes'],
  'IPv6 only': ['nothing is said', '', ''],
};

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
    // Where a run was of some networks alone, the others have no row.
    const tried = kinds.filter(({ name }) => this.crossings.some(({ host }) => host === name));
    const everyone = tried.map((host) => [`**${host.name}**`, ...kinds.map((guest) => this.cell(host.name, guest.name))]);
    print('The table of networks', ['host in, guest in:', ...kinds.map(({ short }) => short)], everyone);
    const beside = kinds.map(({ name }) => [...said[name]!, name, this.direct(name).join(', ') || 'nobody']);
    print('What guides say, and what came out', ['guides call it', 'direct', 'relay needed', 'here', 'direct with'], beside);
    const direct = this.crossings.filter(({ relay }) => !relay);
    const seconds = this.crossings.map(({ seconds }) => seconds).sort((a, b) => a - b);
    const [middle, longest] = [seconds[Math.floor(seconds.length / 2)]!, seconds.at(-1)!].map((time) => time.toFixed(1));
    const begun = direct.filter(({ relayed }) => relayed > 2_000).length;
    const most = Math.max(0, ...direct.map(({ relayed }) => relayed));
    console.log(`\n${this.crossings.length} of ${kinds.length ** 2} pairs saw the film, ${direct.length} of them directly.`);
    console.log(`First frame: half of them within ${middle} s, all within ${longest} s.`);
    console.log(`${begun} of the direct ones began over the relay; it carried ${most} bytes at most until they had gone over.`);
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

  /** Whom people in this network reach directly, whichever of the two is the host. */
  private direct(name: string): string[] {
    const direct = (other: string) => {
      const names = [name, other].sort().join();
      const both = this.crossings.filter(({ host, guest }) => [host, guest].sort().join() === names);
      return both.length > 0 && both.every(({ relay }) => !relay);
    };
    return kinds.filter((other) => direct(other.name)).map(({ short }) => short);
  }
}

/** As Markdown. */
function print(title: string, head: string[], rows: string[][]): void {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  console.log(`\n${title}\n\n${lines.join('\n')}`);
}
