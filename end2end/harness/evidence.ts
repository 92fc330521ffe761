import type { TestInfo } from '@playwright/test';
import type { Person } from './people';

/** For a test that failed: what each person's console said, and what their page shows. */
export async function attachPeople(info: TestInfo, people: Person[]): Promise<void> {
  for (const [place, person] of people.entries()) {
    const body = [...person.console, ...person.errors].join('\n');
    await info.attach(`console of person ${place + 1}`, { body });
    if (person.page.isClosed()) continue;
    const screenshot = await person.page.screenshot({ timeout: 5_000 }).catch(() => undefined);
    if (screenshot) await info.attach(`page of person ${place + 1}`, { body: screenshot, contentType: 'image/png' });
  }
}
