import type { LaunchOptions } from '@playwright/test';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium: Playwright's own build plays no H.264. */
export const executable = process.env.CHROMIUM ?? '/usr/bin/chromium';

/**
 * How Chromium is started. With `autoplay: 'as people have it'` sound needs a press first, as in every browser at home.
 * `devices: 'made up'` gives a camera, a microphone and a screen, and says yes wherever the browser asks.
 * `executablePath` may be a wrapper that starts the same Chromium somewhere else. `secure` is an origin to be treated as if
 * it came by HTTPS. `certificates: 'any'` trusts everyone's. `alias` is a second name of this machine, for what pages may not do that come by plain HTTP.
 */
export function chromium({
  autoplay = 'free',
  executablePath = executable,
  secure,
  alias,
  devices = 'none',
  certificates = 'real',
}: { autoplay?: 'free' | 'as people have it'; executablePath?: string; secure?: string; alias?: string; devices?: 'none' | 'made up'; certificates?: 'real' | 'any' } = {}): LaunchOptions {
  const args = [...flags];
  if (autoplay === 'free') args.push('--autoplay-policy=no-user-gesture-required');
  if (secure) args.push(`--unsafely-treat-insecure-origin-as-secure=${secure}`);
  if (certificates === 'any') args.push('--ignore-certificate-errors');
  if (alias) args.push(`--host-resolver-rules=MAP ${alias} 127.0.0.1`);
  if (devices === 'made up') args.push('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
  return { executablePath, args };
}
