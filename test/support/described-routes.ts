/** One address as the application serves it: `POST`, `/v1/media/:id/move`. */
type Route = { method: string; path: string };
/** Operations by path and method, as the description has them. */
type Paths = Record<string, Record<string, unknown>>;

/** Whatever a parameter is called and may look like. */
const toShape = (path: string): string => path.replaceAll(/:\w+(\{[^}]*\})?|\{\w+\}/g, "{}");

const toName = (method: string, path: string): string => `${method.toUpperCase()} ${toShape(path)}`;

/** What goes before every route of a folder serves none. */
const isMiddleware = ({ method, path }: Route): boolean => method === "ALL" && path.endsWith("/*");

/** Addresses below `/v1` that one side has and the other does not. */
export function compareRoutes(routes: readonly Route[], paths: Paths): { undescribed: string[]; unserved: string[] } {
  const isApi = (path: string) => path.startsWith("/v1/");
  const served = routes
    .filter((route) => isApi(route.path) && !isMiddleware(route))
    .map(({ method, path }) => toName(method, path));
  const described = Object.entries(paths)
    .filter(([path]) => isApi(path))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => toName(method, path)));
  return {
    undescribed: served.filter((name) => !described.includes(name)),
    unserved: described.filter((name) => !served.includes(name)),
  };
}
