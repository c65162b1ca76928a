import { BadRequestException } from '@nestjs/common';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { didYouMean } from '../did-you-mean.js';
import { fromQuery, fromRequest } from './from-request.js';
import { RowsFile } from './rows-body.js';
import { keepsRules } from './rules.js';

/** A class whose members carry class-validator's rules. */
export type Shape<T extends object = object> = new () => T;
/** What is wrong with one member. */
export type Fault = { pointer: string; detail: string };
type Members = Record<string, unknown>;

/**
 * Gives a handler the body as an instance of `shape`, or refuses it with every fault at once, each with
 * its JSON pointer. It stands in for Nest's ValidationPipe, which lets arrays and members such as
 * `toString` through.
 */
export const BodyOf = (shape: Shape) => fromRequest(({ body }) => readBodyAs(shape, body));

/** The same, or the rows of many, which the handler reads itself. */
export const BodyOfOneOrMany = (shape: Shape) =>
  fromRequest(({ body }) => (body instanceof RowsFile ? body : readBodyAs(shape, body)));

/** The same of the query, each fault with the name of its parameter. */
export const QueryOf = (shape: Shape) => fromQuery((query) => readQueryAs(shape, query));

function readBodyAs(shape: Shape, value: unknown): object {
  if (!isObject(value)) throw new BadRequestException(describeWrongBody(value));
  const { record, faults } = readAs(shape, value);
  if (faults.length) throw new BadRequestException(summarise(faults));
  return record;
}

function readQueryAs(shape: Shape, query: Members): object {
  const { record, faults } = readAs(shape, query);
  if (!faults.length) return record;
  const { detail, errors } = summarise(faults);
  const named = errors.map(({ pointer, ...fault }) => ({ parameter: pointer.slice(2), ...fault }));
  throw new BadRequestException({ detail, errors: named });
}

/** Turns members into an instance of `shape`, with all that is wrong with them. */
export function readAs<T extends object>(
  shape: Shape<T>,
  members: Members,
): { record: T; faults: Fault[] } {
  const record = new shape();
  const known = knownMembers(shape);
  const strangers: string[] = [];
  for (const name of Object.keys(members)) {
    if (!known.includes(name)) strangers.push(name);
    else (record as Members)[name] = convert(shape, name, members[name]);
  }
  const faults = keepsRules(record)
    ? []
    : validateSync(record, { stopAtFirstError: true }).map(describeFault);
  for (const name of strangers) faults.push(describeStranger(name, known));
  return { record, faults };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !isArray(value);
}

function isArray(value: unknown): boolean {
  return Array.isArray(value) || value instanceof RowsFile;
}

function describeWrongBody(value: unknown): string {
  const wish = 'Send one JSON object, such as {"name":"Boston Marathon"}';
  if (value === undefined) return `There is no body. ${wish}.`;
  const kind = isArray(value) ? 'array' : typeof value;
  return `${wish}: this is ${value === null ? 'null' : `of the type ${kind}`}.`;
}

type Convert = (value: unknown) => unknown;
const conversions = new WeakMap<object, Map<string, Convert>>();

/** Turns a member into what its rules judge, such as a number in digits; what it cannot, it returns. */
export function ReadBy(read: Convert): PropertyDecorator {
  return ({ constructor }, name) => {
    const own = conversions.get(constructor) ?? new Map<string, Convert>();
    conversions.set(constructor, own.set(String(name), read));
  };
}

function convert(shape: Shape, name: string, value: unknown): unknown {
  const read = conversions.get(shape)?.get(name);
  return read ? read(value) : value;
}

const membersOf = new WeakMap<Shape, string[]>();

/** The names that a shape has rules for. */
export function knownMembers(shape: Shape): string[] {
  const known = membersOf.get(shape) ?? readKnownMembers(shape);
  membersOf.set(shape, known);
  return known;
}

function readKnownMembers(shape: Shape): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(shape, '', false, false);
  return [...new Set(rules.map((rule) => rule.propertyName))];
}

function describeFault({ property, constraints = {} }: ValidationError): Fault {
  return { pointer: pointTo(property), detail: Object.values(constraints)[0] ?? 'is not valid' };
}

function describeStranger(member: string, known: string[]): Fault {
  return { pointer: pointTo(member), detail: `is not known: ${didYouMean(member, known)}` };
}

function summarise(errors: Fault[]) {
  const detail = errors.map((fault) => `${fault.pointer.slice(2)}: ${fault.detail}`).join('; ');
  return { detail, errors };
}

/** RFC 6901, section 3. */
function pointTo(member: string): string {
  return `#/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
