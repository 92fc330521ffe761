/** What a NAT does with the ports that it gives, and whom it lets in (RFC 4787, RFC 5780). */
export type Dependence = 'endpoint independent' | 'address dependent' | 'address and port dependent';

/** What `turnutils_natdiscovery` finds. */
export interface Behaviour {
  /** Whether the address is another one outside. */
  translated: boolean;
  mapping: Dependence;
  filtering: Dependence;
}

/** One network of the table. Its routers stand in a row, the person's own first. */
export interface Kind {
  name: string;
  /** In the table's narrow columns. */
  short: string;
  /** nftables rules of each router; `outward` leads to the internet, `inward` to the person. */
  routers: string[][];
  families: (4 | 6)[];
  /** What UDP meets; nothing where none passes. */
  udp?: Behaviour;
  /** Where a page comes from at all: TCP, or the proxy on the nearest router alone. */
  web: 'any port' | 'port 443' | 'proxy';
}

/** Where a proxy listens, on the nearest router. */
export const proxyPort = 3128;

const masquerade = (how = '') => [
  'add table ip nat',
  'add chain ip nat post { type nat hook postrouting priority 100; }',
  `add rule ip nat post oifname "outward" masquerade ${how}`,
];

/** Takes and passes on what was asked for; a packet that was not leaves no trace that would change a port later. */
const unasked = [
  'add table inet filter',
  'add chain inet filter input { type filter hook input priority 0; }',
  'add rule inet filter input iifname "outward" meta l4proto { tcp, udp } ct state new drop',
  'add chain inet filter forward { type filter hook forward priority 0; }',
  'add rule inet filter forward iifname "outward" ct state new drop',
];

const homeRouter = [...masquerade(), ...unasked];

/** Nothing else goes through. */
const onlyThrough = (...rules: string[]) => [
  'add table inet through',
  'add chain inet through forward { type filter hook forward priority 10; policy drop; }',
  'add rule inet through forward ct state established,related accept',
  ...rules.map((rule) => `add rule inet through forward ${rule}`),
];

const portRestricted: Behaviour = {
  translated: true,
  mapping: 'endpoint independent',
  filtering: 'address and port dependent',
};

export const kinds: Kind[] = [
  {
    name: 'open internet',
    short: 'open',
    routers: [],
    families: [4, 6],
    udp: { translated: false, mapping: 'endpoint independent', filtering: 'endpoint independent' },
    web: 'any port',
  },
  {
    name: 'endpoint-independent NAT',
    short: 'EI NAT',
    routers: [
      [
        ...masquerade(),
        'add chain ip nat pre { type nat hook prerouting priority -100; }',
        'add rule ip nat pre iifname "outward" meta l4proto udp dnat to 192.168.1.2',
      ],
    ],
    families: [4],
    udp: { translated: true, mapping: 'endpoint independent', filtering: 'endpoint independent' },
    web: 'any port',
  },
  { name: 'port-restricted NAT', short: 'port-r.', routers: [homeRouter], families: [4], udp: portRestricted, web: 'any port' },
  {
    name: 'symmetric NAT',
    short: 'symm.',
    routers: [[...masquerade('fully-random'), ...unasked]],
    families: [4],
    udp: { translated: true, mapping: 'address and port dependent', filtering: 'address and port dependent' },
    web: 'any port',
  },
  {
    name: 'carrier-grade double NAT',
    short: 'carrier',
    routers: [homeRouter, homeRouter],
    families: [4],
    udp: portRestricted,
    web: 'any port',
  },
  {
    name: 'UDP blocked',
    short: 'no UDP',
    routers: [[...homeRouter, ...onlyThrough('meta l4proto tcp accept')]],
    families: [4],
    web: 'any port',
  },
  {
    name: 'only TCP on port 443',
    short: '443',
    routers: [[...homeRouter, ...onlyThrough('tcp dport 443 accept')]],
    families: [4],
    web: 'port 443',
  },
  { name: 'only an HTTP proxy', short: 'proxy', routers: [onlyThrough()], families: [4], web: 'proxy' },
  {
    name: 'IPv6 only',
    short: 'IPv6',
    routers: [unasked],
    families: [6],
    udp: { translated: false, mapping: 'endpoint independent', filtering: 'address and port dependent' },
    web: 'any port',
  },
];

/**
 * Whether two people can reach each other without a relay. Each sends to where the other's STUN server saw them. Where a port
 * is the same towards everyone, that is where packets have to go, and the own packet opens the way for theirs. Where it
 * changes, the other side does not know the new one: it has to take packets from ports that it has not sent to.
 */
export function reach(one: Kind, other: Kind): boolean {
  if (!one.udp || !other.udp || !one.families.some((family) => other.families.includes(family))) return false;
  return isFound(one.udp, other.udp) && isFound(other.udp, one.udp);
}

/** Whether packets of this one are taken by the other. */
function isFound({ mapping }: Behaviour, { filtering }: Behaviour): boolean {
  return mapping === 'endpoint independent' || filtering !== 'address and port dependent';
}
