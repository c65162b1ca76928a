/** A value for each method, route and status. It is made when it is needed first. */
export class ByRoute<Value> {
  /** Routes and methods are the same texts each time: a text that is put together must be hashed first. */
  private readonly routes = new Map<string, Map<string, Map<number, Value>>>();
  /** Many requests have the same route and status as the one before. */
  private last?: { method: string; route: string; status: number; value: Value };

  constructor(private readonly make: (method: string, route: string, status: number) => Value) {}

  get(method: string, route: string, status: number): Value {
    const { last } = this;
    if (last && last.status === status && last.route === route && last.method === method)
      return last.value;
    const value = this.find(method, route, status) ?? this.add(method, route, status);
    this.last = { method, route, status, value };
    return value;
  }

  all(): Value[] {
    return [...this.routes.values()].flatMap((methods) =>
      [...methods.values()].flatMap((values) => [...values.values()]),
    );
  }

  private find(method: string, route: string, status: number): Value | undefined {
    return this.routes.get(route)?.get(method)?.get(status);
  }

  private add(method: string, route: string, status: number): Value {
    const value = this.make(method, route, status);
    const methods = this.routes.get(route) ?? new Map<string, Map<number, Value>>();
    const values = methods.get(method) ?? new Map<number, Value>();
    this.routes.set(route, methods.set(method, values.set(status, value)));
    return value;
  }
}
