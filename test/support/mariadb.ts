import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import type { EmptyDatabase } from "./database.js";
import { execute } from "./mariadb-template.js";

/** The run's MariaDB server, and what makes a database of it like one that was migrated. */
export type MariadbOfRun = { url: string; template: string[] };

/** It starts at the first call of a run. Throws with the reason where it cannot. */
async function mariadbOfRun(): Promise<MariadbOfRun> {
  const response = await fetch(inject("mariadbStarter"));
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return JSON.parse(answer) as MariadbOfRun;
}

export const mariadbUrl = async (): Promise<string> => (await mariadbOfRun()).url;

/** A database of its own on the run's server, made with the server's defaults. */
export async function createMariadbDatabase(): Promise<Required<EmptyDatabase>> {
  const server = await mariadbUrl();
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await execute(server, `create database ${name}`);
  const url = `${server}/${name}`;
  return { url, fill: () => fillAsMigrated(url), remove: () => execute(server, `drop database ${name}`) };
}

/** As one that was migrated, for those who are not about migrations. */
async function fillAsMigrated(url: string): Promise<void> {
  const { template } = await mariadbOfRun();
  await execute(url, template.join(";\n"));
}
