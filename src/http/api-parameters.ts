import { schemaOf, type DtoClass, type Schema } from './dto-metadata.js';

/** Where `@nestjs/swagger` looks for the parameters of a handler. */
const API_PARAMETERS = 'swagger/apiParameters';

/** What a handler reads from a request: https://spec.openapis.org/oas/v3.1.0#parameter-object */
export interface ApiParameter {
  in: 'path' | 'query' | 'header' | 'body';
  name: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}

/** Adds the parameters to the description of the handler. */
export function describeParameters(parameters: ApiParameter[]): ParameterDecorator {
  return (target, name) => {
    const handler = (target as Record<string | symbol, object>)[name!]!;
    const others = (Reflect.getMetadata(API_PARAMETERS, handler) ?? []) as ApiParameter[];
    // the schema counts; without a type, swagger would look for a class
    const described = parameters.map((parameter) => ({
      type: String,
      required: false,
      ...parameter,
    }));
    Reflect.defineMetadata(API_PARAMETERS, [...others, ...described], handler);
  };
}

/** A body that is an instance of `dtoClass`. */
export function bodyOf(dtoClass: DtoClass): ApiParameter {
  return { in: 'body', name: dtoClass.name, required: true, schema: schemaOf(dtoClass) };
}

/** The members of `dtoClass` as query parameters. */
export function queryParametersOf(dtoClass: DtoClass): ApiParameter[] {
  const { properties } = schemaOf(dtoClass);
  return Object.entries(properties).map(([name, schema]) => ({ in: 'query', name, schema }));
}
