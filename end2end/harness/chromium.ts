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
 * `executablePath` may be a wrapper that starts the same Chromium somewhere else.
 */
export function chromium(
  { autoplay = 'free', executablePath = executable }: { autoplay?: 'free' | 'as people have it'; executablePath?: string } = {},
): LaunchOptions {
  return {
    executablePath,
    args: autoplay === 'free' ? [...flags, '--autoplay-policy=no-user-gesture-required'] : flags,
  };
}
