import { longEvening } from '../harness/film';
import { expect, relayed } from '../harness/test';

// Two minutes and a half: credentials are renewed when about half of their life is over.
relayed.use({ environment: { TURN_CREDENTIAL_TTL: '150' } });

relayed('the panel says whose credentials are in hand and how long they last, which is longer again once they are renewed', async ({ people }) => {
  relayed.setTimeout(200_000);
  const { host, guest } = await people.watching(longEvening);
  for (const person of [host, guest]) {
    const panel = await person.openFigures();
    const credentials = panel.locator('.figures > div').filter({ hasText: 'Relay credentials' }).locator('dd');
    await expect(credentials).toHaveText(/^Cloudflare, for another 0 h 0[12] min; renewed by themselves$/);
  }
  const credentials = guest.page.getByRole('dialog', { name: 'Connection' }).locator('dd').filter({ hasText: 'Cloudflare, for another' });
  const asked = () => guest.requests.filter((address) => address.includes('/api/turn-credentials')).length;
  // From half a minute on; a renewal comes after 70 s at the soonest.
  await expect(credentials).toHaveText(/for another 0 h 01 min/, { timeout: 60_000 });
  const before = asked();
  await expect(credentials).toHaveText(/for another 0 h 02 min/, { timeout: 90_000 });
  expect(asked(), 'calls for credentials since').toBe(before + 1);
});
