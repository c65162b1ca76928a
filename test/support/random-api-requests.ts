import { exampleOf, type ApiRequest, type Operation, type Parameter } from './openapi.js';

type Random = () => number;

/** Texts that have broken other services. */
const STRANGE_TEXTS = [
  '',
  ' ',
  "'",
  '"',
  "'; DROP TABLE marathon; --",
  '1 OR 1=1',
  '$1',
  '%',
  '%00',
  '\\',
  '{}',
  '[]',
  '()',
  'null',
  'undefined',
  'NaN',
  '-1',
  '0',
  '1e9',
  '2147483648',
  '9'.repeat(40),
  '../../etc/passwd',
  '..%2f..%2f',
  '__proto__',
  'constructor',
  'a\r\nSet-Cookie: x=1',
  '\u202e\u0000\ud83c\udfc3',
  'ﷺ'.repeat(20),
  'x'.repeat(300),
  '<script>alert(1)</script>',
  '${7*7}',
  'in.(1,2',
  'not.not.eq.1',
  'eq(any).{1,2,',
  'match.(a+)+$',
  'fts.a & | b',
  '(id.eq.1,or(id.eq.2',
];
const STRANGE_VALUES: unknown[] = [null, true, 0, -1, 1.5, 1e308, [], {}, [null], { a: { b: 1 } }];
const MEDIA_TYPES = [
  '*/*',
  'application/json',
  'text/csv',
  'application/x-ndjson',
  'application/vnd.pgrst.object+json',
  'application/vnd.pgrst.array+json;nulls=stripped',
  'text/html',
  'nonsense',
  ';',
];
const JSON_BODIES = [
  '',
  '{',
  'null',
  '[]',
  '[{}]',
  '"a"',
  '{"__proto__":{"a":1}}',
  '[1,{"name":""}]',
];

/** Makes requests at random from the operations of a document: valid ones, invalid ones, and strange ones. */
export class RandomApiRequests {
  constructor(
    private readonly operations: Operation[],
    private readonly random: Random,
  ) {}

  next(): { operation: Operation; request: ApiRequest } {
    const operation = this.choose(this.operations);
    const headers = this.headersFor(operation);
    const body = this.bodyFor(operation, headers);
    const url = `${this.pathFor(operation)}${this.queryFor(operation)}`;
    return { operation, request: { method: operation.method.toUpperCase(), url, headers, body } };
  }

  private pathFor({ path, parameters }: Operation): string {
    return path.replaceAll(/\{(\w+)\}/g, (_, name) => {
      const parameter = parameters.find((each) => each.in === 'path' && each.name === name)!;
      const text = this.textFor(parameter);
      return encodeURIComponent(text.toWellFormed()) || '0';
    });
  }

  private queryFor({ parameters }: Operation): string {
    const query = new URLSearchParams();
    for (const parameter of parameters.filter((each) => each.in === 'query')) {
      if (this.happens(0.15)) query.append(parameter.name, this.textFor(parameter));
    }
    if (this.happens(0.05)) query.append(this.choose(STRANGE_TEXTS), this.choose(STRANGE_TEXTS));
    return query.size ? `?${query.toString()}` : '';
  }

  private headersFor({ parameters }: Operation): Record<string, string> {
    const headers: Record<string, string> = { Accept: this.choose(MEDIA_TYPES) };
    for (const parameter of parameters.filter((each) => each.in === 'header')) {
      if (this.happens(0.2)) headers[parameter.name] = toHeader(this.textFor(parameter));
    }
    return headers;
  }

  private bodyFor({ requestBody }: Operation, headers: Record<string, string>): string | undefined {
    if (!requestBody) return undefined;
    const [mediaType, { example }] = this.choose(Object.entries(requestBody.content));
    headers['Content-Type'] = this.happens(0.95) ? mediaType : toHeader(this.choose(MEDIA_TYPES));
    if (this.happens(0.1)) return this.choose(JSON_BODIES);
    if (typeof example === 'object') return JSON.stringify(this.changeMembers(example as object));
    return this.changeText((example ?? '') as string);
  }

  private changeMembers(example: object): object {
    const entries = Object.entries(example)
      .filter(() => this.happens(0.9))
      .map(([name, value]) => [name, this.happens(0.8) ? value : this.strangeValue()]);
    const changed = Object.fromEntries(entries) as Record<string, unknown>;
    if (this.happens(0.05)) changed[this.choose(STRANGE_TEXTS)] = this.strangeValue();
    return this.happens(0.1) ? [changed, example] : changed;
  }

  private textFor(parameter: Parameter): string {
    const example = exampleOf(parameter);
    if (example === undefined || this.happens(0.2)) return this.choose(STRANGE_TEXTS);
    return this.happens(0.6) ? example : this.changeText(example);
  }

  private changeText(text: string): string {
    const at = Math.floor(this.random() * (text.length + 1));
    const end = this.happens(0.5) ? at : at + Math.floor(this.random() * 4);
    return text.slice(0, at) + this.choose(STRANGE_TEXTS) + text.slice(end);
  }

  private strangeValue(): unknown {
    return this.happens(0.5) ? this.choose(STRANGE_TEXTS) : this.choose(STRANGE_VALUES);
  }

  private happens(probability: number): boolean {
    return this.random() < probability;
  }

  private choose<T>(items: T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }
}

/** Node refuses to send other characters. */
function toHeader(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '');
}
