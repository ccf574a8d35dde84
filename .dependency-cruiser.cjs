/**
 * The arrows of docs/architecture.md, as rules. Rooms are rows of tables; the rules below are made from them.
 * `test/house/arrows.test.ts` inserts one forbidden import per rule and sees it refused.
 */
const ROOTS = "^src/(?:server|edge|worker|cli)\\.ts$";
/** What the roots of one runtime share: it composes like a root, and roots alone use it. */
const COMPOSITION =
  "^src/(?:compose|compose-edge|config-parts|in-process|page-assets|open-resources|upkeep|storage-migration|reprocess-command|long-command|token-commands|command-words|start-server|demo|version)\\.ts$";
/** What each runtime reads of its environment. */
const CONFIGURATION = "^src/(?:edge-)?config\\.ts$";
const DOMAIN = "^src/(?:media|accounts)/";
const INBOUND = "^src/(?:router|procedures)/";
const OUTBOUND = "^(src/(?:storage|pipeline|security|telemetry|limits|jobs)|db)/";
const TABLES = "^src/media/(?:attachments|variants|errors|image-sizes)\\.ts$";
/** Tests, measurements and scripts look at anything they like. */
const OUTSIDE = "^(?:test|bench|scripts)/";
const OURS = "^(?:src|db|client|console|test|bench|scripts)/";

/** A package, whatever file of it; `@scope/` takes the whole scope. */
const npm = (...names) => `(?:^|/)node_modules/(?:${names.map((name) => name.replace(/\/$/, "/[^/]+")).join("|")})/`;

/** One home per package: nothing else in the product may import it. */
const HOMES = [
  {
    name: "database-packages-live-in-db",
    packages: npm("drizzle-orm", "lucia", "mysql2", "@libsql/"),
    home: "^db/",
  },
  {
    name: "pixel-packages-live-in-pipeline",
    packages: npm("sharp", "sharp-phash", "exifr", "libheif-js"),
    home: "^src/pipeline/",
  },
  {
    name: "thumbhash-is-made-and-shown",
    packages: npm("thumbhash"),
    home: ["^src/pipeline/", "^client/picture\\.ts$", "^console/"],
  },
  { name: "redis-lives-in-limits", packages: npm("ioredis"), home: "^src/limits/" },
  { name: "aws-sdk-lives-in-storage", packages: npm("@aws-sdk/", "@smithy/"), home: "^src/storage/" },
  { name: "busboy-lives-in-multipart", packages: npm("@fastify/busboy"), home: "^src/router/multipart\\.ts$" },
  { name: "logs-and-metrics-live-in-telemetry", packages: npm("pino", "prom-client"), home: "^src/telemetry/" },
  { name: "hono-lives-in-router-and-roots", packages: npm("hono"), home: ["^src/router/", ROOTS, COMPOSITION] },
  { name: "node-server-lives-in-roots", packages: npm("@hono/node-server"), home: [ROOTS, COMPOSITION] },
  { name: "trpc-client-lives-in-client", packages: npm("@trpc/client"), home: "^client/" },
  {
    name: "react-lives-in-its-entry",
    packages: npm("react", "@tanstack/react-query"),
    home: ["^client/react/", "^client/react\\.ts$"],
  },
];

/** Rooms that may import what is listed and nothing else, Node's own modules included. */
const CLOSED_ROOMS = [
  {
    name: "media-imports-itself",
    room: "^src/media/",
    mayImport: ["^src/media/", npm("zod", "fractional-indexing")],
  },
  {
    name: "accounts-imports-itself-and-media",
    room: "^src/accounts/",
    mayImport: [DOMAIN, npm("zod", "fractional-indexing")],
  },
  {
    name: "procedures-import-the-domain",
    room: "^src/procedures/",
    mayImport: ["^src/procedures/", DOMAIN, npm("@trpc/server", "zod")],
  },
  {
    name: "router-imports-procedures-and-the-domain",
    room: "^src/router/",
    mayImport: [INBOUND, DOMAIN, npm("hono", "@trpc/server", "zod", "@fastify/busboy", "p-limit"), "^(node:)?stream$"],
  },
];

const error = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

const closedRooms = CLOSED_ROOMS.map(({ name, room, mayImport }) =>
  error(name, "This room imports what its row lists.", { path: room }, { path: ".", pathNot: mayImport }),
);

const homes = HOMES.map(({ name, packages, home }) =>
  error(name, "One home per package.", { path: OURS, pathNot: [home, OUTSIDE].flat() }, { path: packages }),
);

const rooms = [
  error(
    "outbound-rooms-stay-apart",
    "Adapters never see each other: what two of them share is a port.",
    { path: OUTBOUND },
    { path: OUTBOUND, pathNot: "^$1/" },
  ),
  error(
    "outbound-rooms-see-the-domain-alone",
    "Adapters implement ports of the domain and know nothing else of ours.",
    { path: OUTBOUND },
    { path: OURS, pathNot: [DOMAIN, OUTBOUND] },
  ),
  error("nobody-imports-a-root", "Roots compose; nothing is built upon them.", {}, { path: ROOTS }),
  error(
    "composition-is-for-roots",
    "Whoever composes knows everything; nothing is built upon it.",
    { pathNot: [ROOTS, COMPOSITION, OUTSIDE] },
    { path: COMPOSITION },
  ),
  error(
    "roots-alone-read-the-configuration",
    "Everything else is handed the values it needs.",
    { pathNot: [ROOTS, COMPOSITION, CONFIGURATION, OUTSIDE] },
    { path: CONFIGURATION },
  ),
  error(
    "configuration-knows-the-domain-alone",
    "The schema of the environment is data; it composes nothing.",
    { path: CONFIGURATION },
    { path: OURS, pathNot: [DOMAIN, CONFIGURATION] },
  ),
  error(
    "a-file-of-src-has-a-room",
    "A new room or root gets its row here first, or no rule would see it.",
    { path: "^src/", pathNot: [ROOTS, COMPOSITION, CONFIGURATION, DOMAIN, INBOUND, OUTBOUND] },
    {},
  ),
  error(
    "product-imports-no-tests",
    "What is only there to look at the product is not part of it.",
    { path: OURS, pathNot: OUTSIDE },
    { path: OUTSIDE },
  ),
];

const frontends = [
  error(
    "client-imports-procedures-and-tables",
    "The client package knows the procedures' types and the three tables it shares.",
    { path: "^client/" },
    { path: OURS, pathNot: ["^client/", "^src/procedures/", TABLES] },
  ),
  error(
    "client-takes-types-alone-from-procedures",
    "A value would pull the server into the browser.",
    { path: "^client/" },
    { path: "^src/procedures/", dependencyTypesNot: ["type-only"] },
  ),
  error(
    "client-does-without-react",
    "Whoever imports the main entry has no React.",
    { path: "^client/index\\.ts$" },
    { path: ["^client/react", npm("react", "@tanstack/react-query")], reachable: true },
  ),
  error(
    "console-imports-client-and-tables",
    "The web page is a user of the client package.",
    { path: "^console/" },
    { path: OURS, pathNot: ["^console/", "^client/", TABLES] },
  ),
];

/** Reachability: through any number of files, without entering packages. */
const edge = [
  error(
    "edge-reaches-no-pixels",
    "No decoder and no encoder runs on the edge.",
    { path: "^src/edge\\.ts$" },
    {
      path: [npm("sharp", "sharp-phash", "libheif-js", "[^/]*ffmpeg[^/]*", "@[^/]+/[^/]*ffmpeg[^/]*"), "^src/.*ffmpeg"],
      reachable: true,
    },
  ),
  error(
    "edge-reaches-no-disk",
    "The edge has neither a file system nor processes.",
    { path: "^src/edge\\.ts$" },
    {
      path: ["^(?:node:)?(?:fs|fs/promises|child_process)$", "^src/storage/(?:local|spool)\\.ts$"],
      reachable: true,
    },
  ),
  error(
    "edge-reaches-no-embedded-database",
    "SQLite is a file; and the tables are migrated by a server.",
    { path: "^src/edge\\.ts$" },
    { path: [npm("@libsql/"), "^db/(?:connect-sqlite|migrate-)"], reachable: true },
  ),
  error(
    "edge-reaches-no-uploads",
    "Files go to a server: the edge says where it is.",
    { path: "^src/edge\\.ts$" },
    {
      path: [npm("@fastify/busboy"), "^src/router/(?:multipart|uploads)\\.ts$", "^src/storage/s3-put\\.ts$"],
      reachable: true,
    },
  ),
];

const hygiene = [
  error("no-cycles", "Types included: two files that need each other are one file or three.", {}, { circular: true }),
  error(
    "no-orphans",
    "A file nobody imports and that imports nothing is forgotten.",
    { path: "^src/", orphan: true, pathNot: ROOTS },
    {},
  ),
  error(
    "no-dev-packages-in-the-product",
    "They are not installed where the product runs.",
    { path: "^(?:src|db|client)/", pathNot: "\\.config\\.ts$" },
    { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm-peer"] },
  ),
  error(
    "no-undeclared-packages",
    "package.json names every package.",
    {},
    { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
  ),
  error("nothing-unresolvable", "The file or package is not there.", {}, { couldNotResolve: true }),
];

module.exports = {
  forbidden: [...closedRooms, ...rooms, ...homes, ...frontends, ...edge, ...hygiene],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(?:dist|client/dist|data)/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      mainFields: ["module", "main", "types", "typings"],
    },
  },
};
