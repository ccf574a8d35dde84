import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "./command-words.js";
import { SERVICE_TOKEN_FILE, secretsFolder } from "./compose.js";
import { type Config, ConfigError, loadConfig } from "./config.js";
import { DEMO_PASSWORD, loadDemo } from "./demo.js";
import { SCOPES } from "./media/rights.js";
import { REPROCESS_USAGE, reprocessVariants } from "./reprocess-command.js";
import { startServer } from "./start-server.js";
import { migrateStorage } from "./storage-migration.js";
import { createNamedToken, listNamedTokens, revokeNamedToken } from "./token-commands.js";

const USAGE = `Usage: cli <command>

  demo              load users, entities and a gallery into the server at BASE_URL; starts a server where none runs
  storage migrate   move every item to another store: --from local --to s3, or the other way round;
                    --concurrency 4 items at once, --items-per-second 0 (no limit)
${REPROCESS_USAGE}
  tokens create     make a service token and show it once: --name importer --scope upload --scope read
                    (${SCOPES.join(", ")}); --expires 90d, 12h, or an ISO 8601 date or time
  tokens list       every named token with its last use; --json
  tokens revoke     end a token at once: its name`;

/** By the words that name a command. Each is handed the words behind them and answers whether all went well. */
const COMMANDS: Readonly<Record<string, (config: Config, words: readonly string[]) => Promise<boolean>>> = {
  demo: runDemo,
  "storage migrate": migrateStorage,
  reprocess: reprocessVariants,
  "tokens create": createNamedToken,
  "tokens list": listNamedTokens,
  "tokens revoke": revokeNamedToken,
};

async function runDemo(config: Config): Promise<boolean> {
  const baseUrl = (await findRunningServer(config)) ?? (await startOwnServer(config));
  const gallery = await loadDemo({ baseUrl, serviceToken: await readServiceToken(config) });
  console.log(`\nThe demo is ready: ${gallery}\nSign in as ada@demo.example with "${DEMO_PASSWORD}".`);
  return true;
}

async function findRunningServer(config: Config): Promise<string | null> {
  const baseUrl = config.BASE_URL ?? `http://localhost:${config.PORT}`;
  try {
    const answer = await fetch(`${baseUrl}/healthz`, { signal: AbortSignal.timeout(2000) });
    return answer.ok ? baseUrl : null;
  } catch {
    return null; // nothing listens there, which is the usual case
  }
}

async function startOwnServer(config: Config): Promise<string> {
  const server = await startServer(config);
  const stop = () => void server.stop().then(() => process.exit(0));
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  return server.baseUrl;
}

const readServiceToken = async (config: Config): Promise<string> =>
  config.SERVICE_TOKEN ?? (await readFile(join(secretsFolder(config), SERVICE_TOKEN_FILE), "utf8")).trim();

const words = process.argv.slice(2);
const name = Object.keys(COMMANDS).find((known) => `${words.join(" ")} `.startsWith(`${known} `));
const command = name === undefined ? undefined : COMMANDS[name];
if (name === undefined || !command) {
  console.error(USAGE);
  process.exit(2);
}
try {
  process.exitCode = (await command(loadConfig(process.env), words.slice(name.split(" ").length))) ? 0 : 1;
} catch (error) {
  console.error(describeFailure(error));
  process.exit(error instanceof UsageError ? 2 : 1);
}

/** One line for what the caller can mend, everything for what only a developer can. */
function describeFailure(error: unknown): unknown {
  if (error instanceof UsageError) return `${error.message}\n\n${USAGE}`;
  return error instanceof ConfigError ? `Configuration: ${error.message}` : error;
}
