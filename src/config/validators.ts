import { isIP } from 'node:net';
import { makeValidator } from 'envalid';

/** Digits only: a number in another notation is more likely a mistake. */
export function wholeNumber({ from, to }: { from: number; to: number }) {
  return makeValidator((text: string) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= from && number <= to) return number;
    throw new Error(`write a whole number from ${from} to ${to}`);
  });
}

/** As `wholeNumber`, or 0. */
export function noneOrFrom({ from, to }: { from: number; to: number }) {
  return makeValidator((text: string) => {
    const number = Number(text);
    if (text === '0' || (/^\d+$/.test(text) && number >= from && number <= to)) return number;
    throw new Error(`write a whole number from ${from} to ${to}, or 0`);
  });
}

export function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return makeValidator((text: string) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice) return choice;
    throw new Error(`write one of ${choices.join(', ')}`);
  });
}

export function hostName() {
  return makeValidator((text: string) => {
    if (isHostName(text)) return text;
    throw new Error('write an address or a host name, such as 127.0.0.1 or localhost');
  });
}

export function hostNames() {
  return makeValidator((text: string) => {
    const names = splitList(text);
    if (names.every(isHostName)) return names;
    throw new Error('write host names without ports, as in marathons.example,10.0.0.7');
  });
}

export function folder() {
  return makeValidator((text: string) => {
    if (text.trim() && !text.includes('\0')) return text;
    throw new Error('write the path of a folder, such as .data');
  });
}

/** Origins as browsers send them: https://html.spec.whatwg.org/multipage/browsers.html#origin */
export function origins() {
  return makeValidator((text: string) => {
    const list = splitList(text);
    if (list.every((each) => each === '*' || isOrigin(each))) return list;
    throw new Error('write origins as in https://club.example,http://localhost:5173, or *');
  });
}

/** The number of proxies in front of the service, or the addresses and networks of these proxies. */
export function trustedProxies() {
  return makeValidator((text: string): number | string[] => {
    if (/^[1-9]\d?$/.test(text)) return Number(text);
    const list = splitList(text);
    if (list.every(isNetwork)) return list;
    throw new Error(
      'write the number of proxies, or their addresses, as in 10.0.0.0/8,192.168.1.7',
    );
  });
}

function splitList(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function isHostName(text: string): boolean {
  return isIP(text) > 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text.toLowerCase();
}

function isNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/');
  const family = isIP(address);
  if (family === 0) return ['loopback', 'linklocal', 'uniquelocal'].includes(text);
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  );
}
