import { SERVICE_TOKEN_FILE, secretsFolder } from "./compose.js";
import { type Config, ConfigError, loadConfig } from "./config.js";
import { MediaError } from "./media/errors.js";
import { type RunningServer, startServer } from "./start-server.js";

/** What to paste next, so that the first five minutes need no documentation. */
function greeting({ baseUrl }: RunningServer, config: Config): string {
  const token = config.SERVICE_TOKEN ? '"$SERVICE_TOKEN"' : `"$(cat ${secretsFolder(config)}/${SERVICE_TOKEN_FILE})"`;
  const service = `-H "Authorization: Bearer "${token}`;
  const json = '-H "Content-Type: application/json"';
  return `
Artitec Media listens on ${baseUrl}     gallery: ${baseUrl}/console/     API: ${baseUrl}/docs

Make a user, get a token and upload a picture of your own:
  curl -X PUT ${service} ${json} -d '{"role":"user"}' ${baseUrl}/v1/users/USR-ME
  TOKEN=$(curl -s -X POST ${service} ${json} -d '{"userId":"USR-ME"}' ${baseUrl}/v1/auth/sessions | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  curl -H "Authorization: Bearer $TOKEN" -F file=@photo.jpg ${baseUrl}/v1/media/users/USR-ME/avatar
`;
}

function stopOnSignal(server: RunningServer): void {
  const stop = () => {
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`Stopped with work unfinished: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

try {
  const config = loadConfig(process.env);
  const server = await startServer(config);
  stopOnSignal(server);
  console.log(greeting(server, config));
} catch (error) {
  console.error(describeStartFailure(error));
  process.exit(1);
}

/** One line for what the operator can mend, the stack for what only a developer can. */
function describeStartFailure(error: unknown): string {
  if (error instanceof ConfigError) return `Configuration: ${error.message}`;
  if (error instanceof MediaError && error.failure.code === "DATABASE_UNAVAILABLE")
    return `Database: the one at DATABASE_URL does not answer (${describeCause(error.cause)})`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return `Configuration: PORT is in use by another process (${(error as Error).message})`;
  return `The server could not start: ${error instanceof Error ? error.stack : String(error)}`;
}

/** The driver's own words, which stand at the end of the causes. An error of several addresses has none but a code. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return describeCause(error.cause);
  return error.message || String((error as NodeJS.ErrnoException).code);
}
