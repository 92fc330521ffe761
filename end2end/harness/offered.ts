import type { Person } from './people';

/** Leaves a browser with some of the addresses that it is offered, as networks do that let nothing else pass. */
export async function hasOnly(person: Person, url: RegExp): Promise<void> {
  await person.page.route('**/api/turn-credentials*', async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as { iceServers: { urls: string[] }[] };
    for (const server of answer.iceServers) server.urls = server.urls.filter((offered) => url.test(offered));
    answer.iceServers = answer.iceServers.filter(({ urls }) => urls.length > 0);
    await route.fulfill({ response, json: answer });
  });
}
