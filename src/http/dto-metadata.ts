import { getMetadataStorage } from 'class-validator';

/** A class whose members have class-validator's rules. */
export type DtoClass<T extends object = object> = new () => T;

/** A JSON Schema, as OpenAPI 3.1 uses it: https://spec.openapis.org/oas/v3.1.0#schema-object */
export type Schema = Record<string, unknown>;

type Conversion = (value: unknown) => unknown;
/** What the members of each class declare, by name. */
type ByClass<T> = WeakMap<object, Map<string, T>>;

const conversions: ByClass<Conversion> = new WeakMap();
const schemas: ByClass<{ schema: Schema; isRequired: boolean }> = new WeakMap();
const optional: ByClass<true> = new WeakMap();

/**
 * Converts a member before it is validated, for example digits to a number. A value that cannot be
 * converted is returned as it is.
 */
export function ConvertWith(conversion: Conversion): PropertyDecorator {
  return declare(conversions, conversion);
}

/** Describes the values of a member. Rules use it, so that the description and the rule agree. */
export function HasSchema(schema: Schema, isRequired = false): PropertyDecorator {
  return declare(schemas, { schema, isRequired });
}

/** Marks a member that may be absent although its rule requires it. */
export function MayBeAbsent(): PropertyDecorator {
  return declare(optional, true);
}

/** The members of a DTO class, and how they are converted. */
interface DtoDescription {
  names: string[];
  conversions: Map<string, Conversion>;
}

const descriptions = new WeakMap<DtoClass, DtoDescription>();

export function describeDto(dtoClass: DtoClass): DtoDescription {
  const known = descriptions.get(dtoClass);
  if (known) return known;
  const rules = getMetadataStorage().getTargetValidationMetadatas(dtoClass, '', false, false);
  const names = [...new Set(rules.map((rule) => rule.propertyName))];
  const description = { names, conversions: declaredBy(conversions, dtoClass) };
  descriptions.set(dtoClass, description);
  return description;
}

/** The members that a DTO class has rules for. */
export function memberNamesOf(dtoClass: DtoClass): string[] {
  return describeDto(dtoClass).names;
}

/** The schema of the objects that a DTO class accepts. */
export function schemaOf(
  dtoClass: DtoClass,
): Schema & { properties: Record<string, Schema>; required: string[] } {
  const members = [...declaredBy(schemas, dtoClass)];
  const absent = declaredBy(optional, dtoClass);
  const required = members.flatMap(([name, { isRequired }]) =>
    isRequired && !absent.has(name) ? name : [],
  );
  const properties = Object.fromEntries(members.map(([name, { schema }]) => [name, schema]));
  return { type: 'object', properties, required, additionalProperties: false };
}

function declare<T>(byClass: ByClass<T>, value: T): PropertyDecorator {
  return ({ constructor }, name) => {
    const own = byClass.get(constructor) ?? new Map<string, T>();
    byClass.set(constructor, own.set(String(name), value));
  };
}

/** What the class declares, and the classes that it extends. */
function declaredBy<T>(byClass: ByClass<T>, dtoClass: object | null): Map<string, T> {
  if (!dtoClass) return new Map();
  const inherited = declaredBy(byClass, Object.getPrototypeOf(dtoClass) as object | null);
  return new Map([...inherited, ...(byClass.get(dtoClass) ?? [])]);
}
