import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from './chromium';

type Answer = { id?: number; result?: any; error?: { message: string } };

/**
 * Chromium driven by its own protocol alone. Playwright keeps every page that it drives visible and focused; here a page
 * can really be hidden, behind another tab.
 */
export class RawChromium {
  private readonly child: ChildProcess;
  private readonly profile = mkdtempSync(path.join(os.tmpdir(), 'tessro-profile-'));
  private readonly waiting = new Map<number, { resolve(result: any): void; reject(error: Error): void }>();
  private last = 0;

  private constructor() {
    const { executablePath, args } = chromium({ autoplay: 'as people have it' });
    this.child = spawn(
      executablePath!,
      [...args!, '--headless=new', '--remote-debugging-pipe', `--user-data-dir=${this.profile}`, 'about:blank'],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
    );
    let rest = '';
    this.child.stdio[4]!.on('data', (bytes: Buffer) => {
      const messages = (rest + bytes.toString('utf8')).split('\0');
      rest = messages.pop()!;
      for (const message of messages) this.take(JSON.parse(message) as Answer);
    });
    this.child.once('exit', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('Chromium ended'));
    });
    const child = this.child;
    process.once('exit', () => child.kill('SIGKILL'));
  }

  static async start(): Promise<RawChromium> {
    const chromium = new RawChromium();
    await chromium.send('Browser.getVersion');
    return chromium;
  }

  /** A new tab, in front of all others; `first` runs in it before anything of the page does. */
  async tab(url: string, first?: () => void): Promise<RawPage> {
    const { targetId } = await this.send('Target.createTarget', { url: first ? 'about:blank' : url });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    if (first) {
      await this.send('Page.enable', {}, sessionId as string);
      await this.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${first.toString()})()` }, sessionId as string);
      await this.send('Page.navigate', { url }, sessionId as string);
    }
    const page = new RawPage(this, targetId as string, sessionId as string);
    await page.toFront();
    return page;
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = (this.last += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), 30_000);
      const settle = <T>(act: (value: T) => void) => (value: T) => {
        clearTimeout(timer);
        act(value);
      };
      this.waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      (this.child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await ended;
    }
    // Its last children may still be writing into it.
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  private take({ id, result, error }: Answer): void {
    const waiting = id === undefined ? undefined : this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id!);
    if (error) waiting.reject(new Error(error.message));
    else waiting.resolve(result);
  }
}

/** One tab. */
export class RawPage {
  constructor(
    private readonly chromium: RawChromium,
    private readonly targetId: string,
    private readonly sessionId: string,
  ) {}

  toFront(): Promise<void> {
    return this.chromium.send('Target.activateTarget', { targetId: this.targetId });
  }

  async evaluate<T>(expression: string): Promise<T> {
    const params = { expression, returnByValue: true, awaitPromise: true, userGesture: true };
    const { result, exceptionDetails } = await this.chromium.send('Runtime.evaluate', params, this.sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as T;
  }

  /** Waits until the expression is true. */
  async until(expression: string, timeout = 30_000): Promise<void> {
    for (const end = Date.now() + timeout; !(await this.evaluate<boolean>(`Boolean(${expression})`)); ) {
      if (Date.now() > end) throw new Error(`never true: ${expression}`);
      await sleep(100);
    }
  }

  /** Picks a file in the input that the selector finds. */
  async choose(selector: string, file: string): Promise<void> {
    const { root } = await this.chromium.send('DOM.getDocument', {}, this.sessionId);
    const { nodeId } = await this.chromium.send('DOM.querySelector', { nodeId: root.nodeId, selector }, this.sessionId);
    await this.chromium.send('DOM.setFileInputFiles', { files: [file], nodeId }, this.sessionId);
  }
}
