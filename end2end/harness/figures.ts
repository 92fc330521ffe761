import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { expect, test } from '@playwright/test';

/** One line of the table: what was measured, what came out, and what was promised. */
interface Figure {
  what: string;
  value: string;
  target: string;
  kept: boolean;
}

const type = 'evening figure';

function note(figure: Figure): void {
  test.info().annotations.push({ type, description: JSON.stringify(figure) });
}

/** Writes a figure down without a promise. */
export function written(what: string, value: string): void {
  note({ what, value, target: '', kept: true });
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 0);
}

/** Writes the figure down and holds the product to it; the test goes on, so that the other figures are known too. */
export function atMost(what: string, value: number, most: number, unit: string): void {
  note({ what, value: `${shown(value)} ${unit}`, target: `at most ${shown(most)} ${unit}`, kept: value <= most });
  expect.soft(value, what).toBeLessThanOrEqual(most);
}

/** The other way round. */
export function atLeast(what: string, value: number, least: number, unit: string): void {
  note({ what, value: `${shown(value)} ${unit}`, target: `at least ${shown(least)} ${unit}`, kept: value >= least });
  expect.soft(value, what).toBeGreaterThanOrEqual(least);
}

/** The figure that `part` of all (0.95: 95 %) do not exceed. */
export function percentile(figures: number[], part: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

/** Prints the table at the end of a run. */
export default class Figures implements Reporter {
  private readonly lines: (Figure & { test: string })[] = [];

  onTestEnd(one: TestCase, { annotations }: TestResult): void {
    for (const annotation of annotations) {
      if (annotation.type !== type) continue;
      this.lines.push({ ...(JSON.parse(annotation.description!) as Figure), test: one.title });
    }
  }

  onEnd(_: FullResult): void {
    if (this.lines.length === 0) return;
    const width = (of: (line: Figure) => string) => Math.max(...this.lines.map((line) => of(line).length));
    const [what, value] = [width((line) => line.what), width((line) => line.value)];
    console.log('\nFigures');
    for (const line of this.lines) {
      console.log(`${line.kept ? ' ' : '!'} ${line.what.padEnd(what)}  ${line.value.padEnd(value)}  ${line.target}`.trimEnd());
    }
  }

  printsToStdio(): boolean {
    return false;
  }
}
