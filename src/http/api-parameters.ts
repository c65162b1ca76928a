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

/** The members of `dtoClass` as query parameters. */
export function queryParametersOf(dtoClass: DtoClass): ApiParameter[] {
  const { properties, required } = schemaOf(dtoClass);
  return Object.entries(properties).map(([name, schema]) => ({
    in: 'query',
    name,
    schema,
    required: required.includes(name),
  }));
}
