import { applyDecorators, BadRequestException } from '@nestjs/common';
import { IsIn } from 'class-validator';
import { readListing, type Askable, type Listing } from '../query/listing.js';
import { GROUP_NAMES, type QueryParameters } from '../query/parameters.js';
import type { Group } from '../query/conditions.js';
import { QueryRefused, type QueryFault } from '../query/refusal.js';
import { fromQuery } from './from-request.js';
import { knownMembers, readAs, type Shape } from './input.js';
import { IfSent, IsPastTime } from './parameters.js';

/** A parameter that names a format in place of `Accept`. */
export function IsFormat() {
  const names = ['json', 'csv', 'ndjson', 'array'];
  return applyDecorators(IfSent(), IsIn(names, { message: `can be ${names.join(', ')}` }));
}

/** How a list is to be answered, and as of when. */
export class ListOptions {
  @IfSent()
  @IsPastTime()
  as_of?: Date;

  @IsFormat()
  format?: 'json' | 'csv' | 'ndjson' | 'array';
}

/** A question to a list, with further options. */
export type Asked<Options> = Options & { listing: Listing };

/** What is chosen to be changed, and how it is to be shown afterwards. */
export interface Chosen {
  where: Group;
  listing: Listing;
}

const MOST_KNOWN = 1000;
const EVERYTHING: Group = { is: 'all', isNot: false, of: [] };
/** Parameters that make a page of a list, or something else of it than its rows. */
const PAGING = ['order', 'limit', 'offset', 'after', 'having', 'q'];

/** What of a question a route takes. */
type Taken = 'all' | 'conditions' | 'select';

/** Gives a handler the question to a list; what `options` names is read by its rules. */
export function Question(askable: Askable, options: Shape, taken: Taken = 'all') {
  const questions = new Questions(askable, options, taken);
  return fromQuery((query) => questions.read(query));
}

/** Gives a handler the conditions that choose what is to be changed. */
export const Filter = (askable: Askable) => fromQuery((query) => readFilter(askable, query));

class Questions<Options extends object> {
  /** The same is asked again and again. */
  private readonly known = new Map<string, Listing>();
  private readonly names: string[];
  private readonly refused: string[];
  /** What most ask for. */
  private readonly everything: Listing;

  constructor(
    private readonly askable: Askable,
    private readonly options: Shape<Options>,
    taken: Taken,
  ) {
    this.names = knownMembers(options);
    this.refused = findRefused(askable, taken);
    this.everything = readListing({}, askable, this.names);
  }

  read(parameters: QueryParameters): Asked<Options> {
    if (isEmpty(parameters)) return { ...new this.options(), listing: this.everything };
    const { own, others } = split(parameters, this.names);
    const faults: QueryFault[] = [];
    const { record, faults: wrong } = readAs(this.options, own);
    for (const { pointer, detail } of wrong) faults.push({ parameter: pointer.slice(2), detail });
    const listing = gather(faults, () => this.readListing(others));
    refuseNames(faults, others, this.refused);
    if (faults.length) throw refuse(faults);
    return { ...record, listing: listing! };
  }

  private readListing(parameters: QueryParameters): Listing {
    const question = JSON.stringify(parameters);
    const known = this.known.get(question);
    if (known) return known;
    const listing = readListing(parameters, this.askable, this.names);
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(question, listing);
    return listing;
  }
}

function findRefused({ columns }: Askable, taken: Taken): string[] {
  if (taken === 'all') return [];
  if (taken === 'conditions') return ['select', ...PAGING];
  return [...PAGING, ...columns.map(({ name }) => name), ...GROUP_NAMES];
}

function readFilter(askable: Askable, parameters: QueryParameters): Chosen {
  const faults: QueryFault[] = [];
  const listing = gather(faults, () => readListing(parameters, askable));
  refuseNames(faults, parameters, PAGING);
  if (listing?.isGrouped) {
    faults.push({ parameter: 'select', detail: 'takes no aggregates where records are changed' });
  }
  if (faults.length) throw refuse(faults);
  const { where } = listing!;
  if (where.of.length) return { where, listing: { ...listing!, where: EVERYTHING } };
  const { name } = askable.unique;
  throw new BadRequestException(
    `Say which: without a filter this address means all. To change all on purpose, write ${name}=gt.0.`,
  );
}

function refuseNames(faults: QueryFault[], parameters: QueryParameters, names: string[]): void {
  for (const parameter of names.filter((name) => parameters[name] !== undefined)) {
    faults.push({ parameter, detail: 'is not possible here' });
  }
}

function gather<T>(faults: QueryFault[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof QueryRefused)) throw error;
    faults.push(...error.faults);
    return undefined;
  }
}

function refuse(errors: QueryFault[]): BadRequestException {
  const detail = errors.map((fault) => `${fault.parameter}: ${fault.detail}`).join('; ');
  return new BadRequestException({ detail, errors });
}

function isEmpty(parameters: object): boolean {
  for (const _ in parameters) return false;
  return true;
}

function split(parameters: QueryParameters, names: string[]) {
  // without a prototype, __proto__ is a name like any other
  const own = Object.create(null) as QueryParameters;
  const others = Object.create(null) as QueryParameters;
  for (const [name, value] of Object.entries(parameters)) {
    (names.includes(name) ? own : others)[name] = value;
  }
  return { own, others };
}
