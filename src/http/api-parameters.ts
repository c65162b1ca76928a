import type { ApiParameter } from './api-types.js';
import { schemaOf, type DtoClass } from './dto-metadata.js';
import { rulesOf } from './route-rules.js';

/** Adds the parameters to the description of the handler. */
export function describeParameters(parameters: ApiParameter[]): ParameterDecorator {
  return (target, name) => {
    const rules = rulesOf((target as Record<string | symbol, object>)[name!]!);
    rules.parameters = [...parameters, ...(rules.parameters ?? [])];
  };
}

/** Adds a JSON body that is an instance of `dtoClass` to the description of the handler. */
export function describeBody(dtoClass: DtoClass): ParameterDecorator {
  return (target, name) => {
    rulesOf((target as Record<string | symbol, object>)[name!]!).bodySchema = schemaOf(dtoClass);
  };
}

/** The members of `dtoClass` as query parameters. */
export function queryParametersOf(dtoClass: DtoClass): ApiParameter[] {
  const { properties } = schemaOf(dtoClass);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    in: 'query',
    name,
    description: description as string,
    schema,
  }));
}
