import { longEvening } from '../harness/film';
import { expect, test } from '../harness/test';

test('nothing is cut off or out of reach on a narrow or low screen', async ({ people }) => {
  const { host, guest } = await people.watching(longEvening);
  for (const [width, height] of [[320, 640], [360, 740], [740, 360]] as const) {
    for (const { page, volume, chat } of [host, guest]) {
      await page.setViewportSize({ width, height });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wide, `pixels past the edge at ${width} x ${height}`).toBeLessThanOrEqual(0);
      await page.mouse.move(width / 2, height / 4);
      await expect(volume).toBeInViewport();
      await expect(chat).toBeInViewport();
    }
    const picture = (await guest.stream.boundingBox())!;
    expect(picture.width * picture.height, `the picture at ${width} x ${height}`).toBeGreaterThan(0.2 * width * height);
    const low = await guest.page.evaluate(() => {
      const small = [...document.querySelectorAll<HTMLElement>('button, select, input:not([type=file]), a')].filter((one) => {
        const { width, height } = one.getBoundingClientRect();
        return width > 1 && height > 1 && (height < 24 || width < 24);
      });
      return small.map((one) => one.outerHTML.slice(0, 80));
    });
    expect(low, `targets below 24 pixels at ${width} x ${height}`).toEqual([]);
  }
});

test('"Try now" keeps the focus while the server is away, and hands it on when it is back', async ({ people, tessro }) => {
  const { page } = await people.host();
  await tessro.kill();
  const tryNow = page.getByRole('button', { name: 'Try now' });
  await tryNow.focus();
  for (let i = 0; i < 3; i += 1) {
    await page.keyboard.press('Enter');
    await expect(tryNow).toBeFocused();
  }
  await tessro.startAgain();
  await expect(tryNow).toBeHidden({ timeout: 20_000 });
  await expect(page.getByRole('main')).toBeFocused();
});

test('the focus is not lost when the same mistake is made twice', async ({ people }) => {
  const guest = await people.arrive();
  await guest.home();
  for (let i = 0; i < 2; i += 1) {
    await guest.code.fill('12');
    await guest.join.click();
    await expect(guest.code).toBeFocused();
    await guest.join.focus();
  }
});
