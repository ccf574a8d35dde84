import { pino } from "pino";
import type { Logger } from "../media/ports.js";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;

/** Structured lines on standard output. Errors are written with stack and cause; answers never carry them. */
export function createPinoLog(level: (typeof LOG_LEVELS)[number]): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
