/** A value for each method, route and status. It is made when it is needed first. */
export class ByRoute<Value> {
  /** Routes and methods are the same texts each time: a text that is put together must be hashed first. */
  private readonly routes = new Map<string, Map<string, Map<number, Value>>>();

  constructor(private readonly make: (method: string, route: string, status: number) => Value) {}

  get(method: string, route: string, status: number): Value {
    return this.routes.get(route)?.get(method)?.get(status) ?? this.add(method, route, status);
  }

  all(): Value[] {
    return [...this.routes.values()].flatMap((methods) =>
      [...methods.values()].flatMap((values) => [...values.values()]),
    );
  }

  private add(method: string, route: string, status: number): Value {
    const value = this.make(method, route, status);
    const methods = this.routes.get(route) ?? new Map<string, Map<number, Value>>();
    const values = methods.get(method) ?? new Map<number, Value>();
    this.routes.set(route, methods.set(method, values.set(status, value)));
    return value;
  }
}
