import type { Logger } from "../media/ports.js";

/** What is written from which level on. */
const LEVELS = { silent: 4, error: 3, warn: 2, info: 1, debug: 0 } as const;

type Level = "info" | "warn" | "error";

/** One JSON object a line on the console, for runtimes whose output is the console. Errors carry stack and cause. */
export function createConsoleLog(from: keyof typeof LEVELS): Logger {
  const writer = (level: Level) => (fields: Record<string, unknown>, message: string) => {
    if (LEVELS[level] < LEVELS[from]) return;
    const line = { level, time: new Date().toISOString(), ...fields, msg: message };
    // biome-ignore lint/suspicious/noConsole: the console is where such a runtime's lines go
    console[level](JSON.stringify(line, (_name, value: unknown) => (value instanceof Error ? describe(value) : value)));
  };
  return { info: writer("info"), warn: writer("warn"), error: writer("error") };
}

/** `JSON.stringify` sees none of these by itself. */
const describe = ({ name, message, stack, cause, ...more }: Error) => ({ ...more, name, message, stack, cause });
