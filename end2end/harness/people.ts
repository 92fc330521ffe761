import { expect, type Browser, type BrowserContext, type BrowserContextOptions, type ConsoleMessage, type Locator, type Page } from '@playwright/test';
import type { Film } from './film';
import { install } from './instruments';
import { noteMoments } from './moments';

/** What a person types; nothing where they leave a field alone. */
export interface Typed {
  name?: string;
  password?: string;
}

/** Somebody at a browser of their own: own storage, own cookies, own page. */
export class Person {
  /** Console messages, `[type] text`. */
  readonly console: string[] = [];
  /** The address of every request. */
  readonly requests: string[] = [];
  readonly errors: string[] = [];

  protected constructor(
    readonly page: Page,
    readonly origin: string,
  ) {
    page.on('console', (message: ConsoleMessage) => this.console.push(`[${message.type()}] ${message.text()}`));
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
  }

  static async arrive(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Person> {
    const context = await browser.newContext({ baseURL: origin, ...options });
    const page = await context.newPage();
    await page.addInitScript(install);
    await page.addInitScript(noteMoments);
    return new Person(page, origin);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  // What is found on the pages, by the names that people and screen readers find it by.

  get name(): Locator {
    return this.page.getByRole('textbox', { name: 'Your name' });
  }

  get password(): Locator {
    return this.page.getByLabel('Password');
  }

  get code(): Locator {
    return this.page.getByRole('textbox', { name: 'Session code' });
  }

  get create(): Locator {
    return this.page.getByRole('button', { name: 'Create session' });
  }

  get join(): Locator {
    return this.page.getByRole('button', { name: 'Join session' });
  }

  get leave(): Locator {
    return this.page.getByRole('button', { name: 'Leave session' });
  }

  /** Beside a join form. */
  get backToStart(): Locator {
    return this.page.getByRole('link', { name: 'Back to the start' });
  }

  /** On the start page, for whoever is still inside. */
  get backToSession(): Locator {
    return this.page.getByRole('link', { name: 'Back to the session' });
  }

  get copyInvite(): Locator {
    return this.page.getByRole('button', { name: 'Copy invite link' });
  }

  get film(): Locator {
    return this.page.getByLabel('Choose a video');
  }

  /** The input for films that wait. */
  get moreFilms(): Locator {
    return this.page.getByLabel('Add to the list');
  }

  /** The host's list of films. */
  get films(): Locator {
    return this.page.getByRole('list', { name: 'Films' });
  }

  get addSubtitles(): Locator {
    return this.page.getByLabel('Add subtitles');
  }

  /** Whether this person sees subtitles. */
  get subtitles(): Locator {
    return this.page.getByRole('switch', { name: 'Subtitles' });
  }

  get shareScreen(): Locator {
    return this.page.getByRole('button', { name: 'Share screen' });
  }

  get useCamera(): Locator {
    return this.page.getByRole('button', { name: 'Use camera' });
  }

  get stopSharing(): Locator {
    return this.page.getByRole('button', { name: 'Stop sharing' });
  }

  get participants(): Locator {
    return this.page.getByRole('list', { name: 'Participants' });
  }

  /** The person of this name in the list. */
  participant(name: string): Locator {
    return this.participants.getByRole('listitem').filter({ hasText: name });
  }

  get hideAddress(): Locator {
    return this.page.getByRole('switch', { name: 'Hide my address' });
  }

  /** How the picture comes, in a few words. */
  get badge(): Locator {
    return this.page.getByRole('button', { name: /^Connection/ });
  }

  get turnSoundOn(): Locator {
    return this.page.getByRole('button', { name: 'Turn sound on' });
  }

  /** The host's own picture. */
  get ownVideo(): Locator {
    return this.page.getByLabel('Your video');
  }

  /** The host's picture at a guest. */
  get stream(): Locator {
    return this.page.getByLabel(/^Host.s stream$/);
  }

  /** The page's one picture, whatever it is called at the moment. */
  get picture(): Locator {
    return this.page.locator('video');
  }

  get volume(): Locator {
    return this.page.getByRole('slider', { name: 'Volume' });
  }

  /** What shows and hides the chat. */
  get chat(): Locator {
    return this.page.getByRole('button', { name: 'Chat' });
  }

  /** Where people type what they say. */
  get message(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  /** Words that the page shows somewhere. */
  async reads(words: RegExp, timeout?: number): Promise<void> {
    await expect(this.page.locator('body')).toContainText(words, { timeout, useInnerText: true });
  }

  async doesNotRead(words: RegExp, timeout?: number): Promise<void> {
    await expect(this.page.locator('body')).not.toContainText(words, { timeout, useInnerText: true });
  }

  /** The session's code, from the address of the page. */
  get sessionCode(): string {
    const code = /\/s\/([^/?#]+)$/.exec(this.page.url())?.[1];
    if (!code) throw new Error(`not on a session's page: ${this.page.url()}`);
    return code;
  }

  get invite(): string {
    return `${this.origin}/s/${this.sessionCode}`;
  }

  /** The link as the host's page gives it: it lets in without the password. */
  inviteLink(): Promise<string> {
    return this.page.getByRole('textbox', { name: 'Invite link' }).inputValue();
  }

  // What people do.

  async home(): Promise<void> {
    await this.page.goto('/');
  }

  async createSession({ name, password }: Typed = {}): Promise<void> {
    await this.home();
    if (name !== undefined) await this.name.fill(name);
    if (password !== undefined) await this.password.fill(password);
    await this.create.click();
    await this.isInside();
  }

  /** Fills in the session page's form and presses; whether it works is the caller's to see. */
  async asksIn({ name, password }: Typed = {}): Promise<void> {
    if (name !== undefined) await this.name.fill(name);
    if (password !== undefined) await this.password.fill(password);
    await this.join.click();
  }

  async joinByLink(link: string, typed: Typed = {}): Promise<void> {
    await this.page.goto(link);
    await this.asksIn(typed);
    await this.isInside();
  }

  async isInside(): Promise<void> {
    await this.page.waitForURL(/\/s\/[^/?#]+$/);
    await expect(this.leave).toBeVisible();
  }

  async choose({ file }: Film): Promise<void> {
    await expect(this.film).toBeEnabled();
    await this.film.setInputFiles(file);
  }

  /** Relay only from now on. */
  async hideMyAddress(): Promise<void> {
    await this.hideAddress.click();
    await expect(this.hideAddress).toBeChecked();
  }

  /** In the chat. */
  async says(words: string): Promise<void> {
    await this.message.fill(words);
    await this.message.press('Enter');
  }

  /** The panel behind the badge, opened. */
  async openFigures(): Promise<Locator> {
    await this.badge.click();
    return this.page.getByRole('dialog', { name: 'Connection' });
  }

  // The host's film, moved as the browser's own controls move it.

  play(): Promise<void> {
    return this.picture.evaluate((video: HTMLVideoElement) => video.play());
  }

  pause(): Promise<void> {
    return this.picture.evaluate((video: HTMLVideoElement) => video.pause());
  }

  seek(seconds: number): Promise<void> {
    return this.picture.evaluate((video: HTMLVideoElement, to) => {
      video.currentTime = to;
    }, seconds);
  }

  // What the page's own picture is at.

  /** In seconds. */
  position(): Promise<number> {
    return this.picture.evaluate((video: HTMLVideoElement) => video.currentTime);
  }

  isPaused(): Promise<boolean> {
    return this.picture.evaluate((video: HTMLVideoElement) => video.paused);
  }

  isMuted(): Promise<boolean> {
    return this.picture.evaluate((video: HTMLVideoElement) => video.muted);
  }

  /**
   * What went wrong in this page that nobody asked for. Requests that fail are the business of the tests that make them
   * fail; everything else on the console is a fault.
   */
  get faults(): string[] {
    const expected = /Failed to load resource|WebSocket connection to/;
    const console = this.console.filter(
      (line) =>
        (line.startsWith('[error]') && !expected.test(line)) || /hydrat|panicked|unreachable executed/i.test(line),
    );
    return [...this.errors, ...console];
  }
}
