import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SERVICE_TOKEN_FILE, secretsFolder } from "./compose.js";
import { type Config, ConfigError, loadConfig } from "./config.js";
import { DEMO_PASSWORD, loadDemo } from "./demo.js";
import { startServer } from "./start-server.js";

const USAGE = `Usage: cli <command>

  demo    load users, entities and a gallery into the server at BASE_URL; starts a server where none runs`;

const COMMANDS: Readonly<Record<string, (config: Config) => Promise<void>>> = { demo: runDemo };

async function runDemo(config: Config): Promise<void> {
  const baseUrl = (await findRunningServer(config)) ?? (await startOwnServer(config));
  const gallery = await loadDemo({ baseUrl, serviceToken: await readServiceToken(config) });
  console.log(`\nThe demo is ready: ${gallery}\nSign in as ada@demo.example with "${DEMO_PASSWORD}".`);
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

const command = COMMANDS[process.argv[2] ?? ""];
if (!command) {
  console.error(USAGE);
  process.exit(2);
}
try {
  await command(loadConfig(process.env));
} catch (error) {
  console.error(error instanceof ConfigError ? `Configuration: ${error.message}` : error);
  process.exit(1);
}
