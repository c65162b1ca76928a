import { isIPv6 } from 'node:net';

/** The first half of an IPv6 address is the network, in which a client can choose any address. */
const NETWORK_GROUPS = 4;
const MAPPED_IPV4 = '::ffff:';

/** What requests are counted by: an IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  if (address.startsWith(MAPPED_IPV4) && address.includes('.'))
    return address.slice(MAPPED_IPV4.length);
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head ? head.split(':') : [];
  const rest = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length;
  const all = [...groups, ...Array<string>(zeros).fill('0'), ...rest];
  return all
    .slice(0, NETWORK_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
