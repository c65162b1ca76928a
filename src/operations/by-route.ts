/** A value for each method, route and status. It is made when it is needed first. */
export class ByRoute<Value> {
  private readonly routes = new Map<string, Map<string, Value>>();

  constructor(private readonly make: (method: string, route: string, status: number) => Value) {}

  get(method: string, route: string, status: number): Value {
    const key = `${status}${method}`;
    return this.routes.get(route)?.get(key) ?? this.add(method, route, status, key);
  }

  all(): Value[] {
    return [...this.routes.values()].flatMap((values) => [...values.values()]);
  }

  private add(method: string, route: string, status: number, key: string): Value {
    const value = this.make(method, route, status);
    const ofRoute = this.routes.get(route) ?? new Map<string, Value>();
    this.routes.set(route, ofRoute.set(key, value));
    return value;
  }
}
