import { expect } from '@playwright/test';
import type { Network } from '../harness/internet';
import { kinds, type Kind } from '../harness/network_kinds';
import { networks as test, type Stage } from '../harness/networked';
import { nodeIn } from '../harness/node_in';

// Each network, on either side, is what its name says: told by turnutils_natdiscovery, and by what TCP gets through.

for (const kind of kinds) {
  test(`${kind.name}: what becomes of UDP and TCP there`, async ({ stage }) => {
    await Promise.all((['host', 'guest'] as const).map((side) => isWhatItSays(stage, stage.network(kind, side))));
  });
}

async function isWhatItSays(stage: Stage, network: Network): Promise<void> {
  const { kind, machine, routers } = network;
  const { internet, discovery, relay } = stage;
  const behaves = async (at: string, address: string) => {
    const { found, said } = await discovery.find(at, address);
    expect(found, said).toEqual(kind.udp);
  };
  const through: Record<Kind['web'], number[]> = { 'any port': [3478, 443], 'port 443': [443], proxy: [] };
  await Promise.all([
    behaves(machine, network.address),
    // Between two NATs in a row: from there the carrier's is seen alone.
    ...(routers.length > 1 ? [behaves(routers[0]!, internet.between(network))] : []),
    opens(machine, kind.families.includes(4) ? relay.v4 : relay.v6).then((open) => expect(open).toEqual(through[kind.web])),
  ]);
}

/** Which of the relay's ports take a TCP connection from there. */
function opens(machine: string, address: string): Promise<number[]> {
  return nodeIn(
    machine,
    async (address) => {
      const net = require('node:net') as typeof import('node:net');
      const open: number[] = [];
      for (const port of [3478, 443]) {
        const opened = await new Promise<boolean>((resolve) => {
          const socket = net.connect({ port, host: address, timeout: 1_500 });
          socket.once('connect', () => resolve(true));
          socket.once('error', () => resolve(false));
          socket.once('timeout', () => resolve(false));
        });
        if (opened) open.push(port);
      }
      return open;
    },
    address,
  );
}
