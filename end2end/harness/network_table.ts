import { test } from '@playwright/test';
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { kinds } from './network_kinds';

/** How the film came from one network into another. */
export interface Crossing {
  host: string;
  guest: string;
  /** How either end reached the relay, `udp`, `tcp` or `tls`; `-` for an end that needed none. Nothing: it came directly. */
  relay?: { host: string; guest: string };
  /** From the guest's press on join to the first frame. */
  seconds: number;
  /** What the server counted as relayed, in bytes. */
  relayed: number;
}

const type = 'crossing';

/** Writes a crossing down for the table. */
export function crossed(crossing: Crossing): void {
  test.info().annotations.push({ type, description: JSON.stringify(crossing) });
}

/** Prints the table at the end of a run, as it stands in docs/networks.md: rows are the host's networks, columns the guest's. */
export default class NetworkTable implements Reporter {
  private readonly crossings: Crossing[] = [];

  onTestEnd(_: TestCase, { annotations }: TestResult): void {
    for (const annotation of annotations) {
      if (annotation.type === type) this.crossings.push(JSON.parse(annotation.description!) as Crossing);
    }
  }

  onEnd(): void {
    if (this.crossings.length === 0) return;
    const rows = kinds.map((host) => [`**${host.name}**`, ...kinds.map((guest) => this.cell(host.name, guest.name))]);
    const lines = [['host in \\ guest in', ...kinds.map(({ short }) => short)], kinds.map(() => '---').concat('---'), ...rows];
    console.log(`\nThe table of networks\n${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}`);
    const seconds = this.crossings.map(({ seconds }) => seconds).sort((a, b) => a - b);
    const direct = this.crossings.filter(({ relay }) => !relay);
    const longest = seconds.at(-1)!.toFixed(1);
    const median = seconds[Math.floor(seconds.length / 2)]!.toFixed(1);
    const counted = direct.reduce((sum, { relayed }) => sum + relayed, 0);
    console.log(
      `${this.crossings.length} of ${kinds.length ** 2} pairs saw the film: ${direct.length} directly, with ${counted} bytes counted ` +
        `as relayed for all of them; first frame after ${median} s in the middle and ${longest} s at most`,
    );
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
}
