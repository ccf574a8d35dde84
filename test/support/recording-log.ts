import type { Logger } from "../../src/media/ports.js";

export type RecordedLine = { level: "info" | "warn" | "error"; fields: Record<string, unknown>; message: string };

/** A log that keeps its lines for a test to read. */
export function createRecordingLog(): Logger & { lines: RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const at = (level: RecordedLine["level"]) => (fields: Record<string, unknown>, message: string) =>
    void lines.push({ level, fields, message });
  return { lines, info: at("info"), warn: at("warn"), error: at("error") };
}
