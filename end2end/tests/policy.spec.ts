import { nightTrain } from '../harness/film';
import { expect, test } from '../harness/test';

/** What the browser refused, as it says itself. */
const watchful = `
  window.refused = [];
  addEventListener('securitypolicyviolation', (event) => window.refused.push(event.violatedDirective + ' ' + event.blockedURI));
`;

test('nothing that our pages do is refused by their own policy', async ({ people, browser, tessro }) => {
  const { host, guest } = await people.watching(nightTrain);
  for (const person of [host, guest]) {
    const told = person.console.filter((line) => /content security policy/i.test(line));
    expect(told).toEqual([]);
  }
  const page = await browser.newPage();
  await page.addInitScript(watchful);
  for (const address of ['/', '/check', '/admin', '/s/K7M3QX', '/nowhere']) {
    await page.goto(tessro.origin + address);
    await page.waitForLoadState('networkidle');
    expect(await page.evaluate('window.refused'), address).toEqual([]);
  }
  // Styles that come later, into a page that was there before.
  await page.goto(tessro.origin);
  await page.getByRole('link', { name: 'Check my connection' }).click();
  await expect(page).toHaveURL(/\/check$/);
  await page.waitForLoadState('networkidle');
  expect(await page.evaluate('window.refused')).toEqual([]);
  expect(await page.evaluate('[...document.styleSheets].some((sheet) => sheet.ownerNode.tagName === "STYLE" && sheet.cssRules.length > 0)')).toBe(true);
  await page.close();
});

test('what somebody smuggles in does not run', async ({ browser, tessro }) => {
  const page = await browser.newPage();
  await page.addInitScript(watchful);
  await page.goto(tessro.origin + '/s/%3C%2Ftitle%3E%3Cscript%3Ewindow.ran=1%3C%2Fscript%3E');
  expect(await page.evaluate('window.ran')).toBeUndefined();
  await page.goto(tessro.origin);
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => {
    const inline = document.createElement('script');
    inline.textContent = 'window.ran = 1';
    document.body.append(inline);
    document.body.insertAdjacentHTML('beforeend', '<img src="/none" onerror="window.ran = 2"><b id="styled" style="color: red">x</b>');
    const elsewhere = document.createElement('script');
    elsewhere.src = 'https://evil.example/a.js';
    document.body.append(elsewhere);
  });
  await expect.poll(() => page.evaluate('window.refused.length')).toBeGreaterThanOrEqual(3);
  expect(await page.evaluate('window.ran')).toBeUndefined();
  await page.close();
});
