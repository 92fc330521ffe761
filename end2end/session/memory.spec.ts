import { longEvening } from '../harness/film';
import { wasmBytes } from '../harness/instruments';
import { joinAndLeave } from '../harness/raw_guests';
import { expect, test } from '../harness/test';
import { seesFrames } from '../harness/watching';

test.slow();

test('a host page that 200 guests have joined and left holds no more than after 50', async ({ people }) => {
  const host = await people.host();
  await host.choose(longEvening);
  await seesFrames(host.ownVideo);
  const crowd = await people.arrive({ bypassCSP: true });
  // The product's origin, and none of its scripts.
  await crowd.page.goto('/health');
  await joinAndLeave(crowd.page, host.sessionCode, 50);
  await expect(host.participants.getByRole('listitem')).toHaveCount(1);
  const after50 = await wasmBytes(host.page);
  expect(after50).toBeGreaterThan(0);

  await joinAndLeave(crowd.page, host.sessionCode, 150);
  await expect(host.participants.getByRole('listitem')).toHaveCount(1);
  expect(await wasmBytes(host.page)).toBe(after50);
  await seesFrames(host.ownVideo);
});
