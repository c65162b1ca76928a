import type { RunningApp } from './app.js';

/** The requests that the service has routes for, as `get /marathon/:id`. HEAD goes with GET. */
export async function findRoutes({ app, http }: RunningApp): Promise<string[]> {
  const tree = app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  const routes = await Promise.all(
    pathsOf(tree).map(async (path) => {
      const { headers } = await http.options(path.replaceAll(/:\w+/g, '1')).expect(204);
      const methods = headers.allow!.split(', ').filter((each) => !/HEAD|OPTIONS/.test(each));
      return methods.map((method) => `${method.toLowerCase()} ${path}`);
    }),
  );
  return routes.flat();
}

/** The addresses of Fastify's drawing of its routes. */
function pathsOf(tree: string): string[] {
  const parents: string[] = [];
  const paths = new Set<string>();
  for (const line of tree.split('\n')) {
    const [, indent, part] = /^([│├└─\s]*)(\S*) \(/.exec(line) ?? [];
    if (part === undefined) continue;
    const depth = indent!.length / 4;
    parents[depth] = part;
    paths.add(parents.slice(0, depth + 1).join(''));
  }
  return [...paths];
}
