import { expect, test } from '@playwright/test';
import type { Coturn } from './coturn';
import type { Person } from './people';
import type { Tessro } from './tessro';
import { seesFrames } from './watching';

const seconds = 20;

/** The film runs for `seconds` from now, and the guest sees frames throughout. */
export async function watchFor(host: Person, guest: Person): Promise<void> {
  const end = Date.now() + seconds * 1_000;
  await expect
    .poll(
      async () => {
        await seesFrames(guest.stream, 5);
        // The film is hardly longer than the test: it starts over before it ends.
        if ((await host.ownVideo.evaluate((video: HTMLVideoElement) => video.currentTime)) > 15) await host.seek(1);
        return Date.now() > end;
      },
      { timeout: (seconds + 15) * 1_000, intervals: [500] },
    )
    .toBe(true);
}

/** All leave; what was counted is what the relay sent to them, and a power cut changes nothing about it. */
export async function figureIsTheRelays(tessro: Tessro, coturn: Coturn, host: Person, ...guests: Person[]): Promise<void> {
  for (const guest of guests) await guest.leave.click();
  await host.leave.click();
  await coturn.everythingEnded();
  await tessro.logs(/\[Bandwidth\] Connection .+ closed\. Measured usage: \d+\.\d+ GB\. Total this month: \d+\.\d+ GB/);
  await expect.poll(async () => (await tessro.bandwidth()).activeConnections).toBe(0);

  const { sent } = coturn;
  expect(sent * 8, 'bits a second by the relay').toBeGreaterThan(1_000_000 * seconds);
  const { bandwidthUsedBytes: used, bandwidthEstimatedBytes: estimated } = await tessro.bandwidth();
  const off = `counted ${used}, the relay sent ${sent}: ${(((used - sent) / sent) * 100).toFixed(2)} %`;
  test.info().annotations.push({ type: 'figure', description: off });
  console.log(`  ${off}`);
  expect(Math.abs(used - sent) / sent, off).toBeLessThan(0.02);
  expect(estimated, 'estimated, where all was measured').toBe(0);

  await tessro.kill();
  await tessro.startAgain();
  expect((await tessro.bandwidth()).bandwidthUsedBytes).toBe(used);
}
