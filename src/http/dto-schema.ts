/** A class whose members have class-validator's rules. */
export type DtoClass<T extends object = object> = new () => T;

/** A JSON Schema, as OpenAPI 3.1 uses it: https://spec.openapis.org/oas/v3.1.0#schema-object */
export type Schema = Record<string, unknown>;

interface MemberSchema {
  schema: Schema;
  isRequired: boolean;
}

const membersByClass = new WeakMap<object, Map<string, MemberSchema>>();
const optionalByClass = new WeakMap<object, Set<string>>();

/** Describes the values of a member. Rules use it, so that the description and the rule agree. */
export function HasSchema(schema: Schema, isRequired = false): PropertyDecorator {
  return ({ constructor }, name) => {
    const members = membersByClass.get(constructor) ?? new Map<string, MemberSchema>();
    membersByClass.set(constructor, members.set(String(name), { schema, isRequired }));
  };
}

/** Marks a member that may be absent although its rule requires it. */
export function MayBeAbsent(): PropertyDecorator {
  return ({ constructor }, name) => {
    const names = optionalByClass.get(constructor) ?? new Set<string>();
    optionalByClass.set(constructor, names.add(String(name)));
  };
}

/** The schema of the objects that a DTO class accepts. */
export function schemaOf(dtoClass: DtoClass): Schema & { properties: Record<string, Schema> } {
  const members = [...membersOf(dtoClass)];
  const required = members.filter(([, { isRequired }]) => isRequired).map(([name]) => name);
  const properties = Object.fromEntries(members.map(([name, { schema }]) => [name, schema]));
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Those of the class and of the classes that it extends. */
function membersOf(dtoClass: object | null): Map<string, MemberSchema> {
  if (!dtoClass) return new Map();
  const inherited = membersOf(Object.getPrototypeOf(dtoClass) as object | null);
  const optional = optionalByClass.get(dtoClass);
  const own = [...(membersByClass.get(dtoClass) ?? [])].map(
    ([name, { schema, isRequired }]): [string, MemberSchema] => [
      name,
      { schema, isRequired: isRequired && !optional?.has(name) },
    ],
  );
  return new Map([...inherited, ...own]);
}
