import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import type { Actor } from "../../../src/media/actor.js";
import type { appRouter } from "../../../src/procedures/index.js";
import type { TestServer } from "../../support/server.js";

type Inputs = inferRouterInputs<typeof appRouter>;
type Outputs = inferRouterOutputs<typeof appRouter>;

/** `media.list` and all others. */
export type ProcedureName = {
  [Group in keyof Inputs]: `${Group}.${keyof Inputs[Group] & string}`;
}[keyof Inputs];

type Named<Table, Name extends string> = Name extends `${infer Group}.${infer Member}`
  ? Group extends keyof Table
    ? Member extends keyof Table[Group]
      ? Table[Group][Member]
      : never
    : never
  : never;
export type InputOf<Name extends ProcedureName> = Named<Inputs, Name>;
export type OutputOf<Name extends ProcedureName> = Named<Outputs, Name>;

/** Who calls: as procedures know him, and the token that makes HTTP know the same; undefined for nobody. */
export type Person = { actor: Actor; token: string | undefined };

/** One way to call procedures. What is refused rejects with MediaError, whatever the wire made of the failure. */
export type Transport = {
  as(person: Person): { call(procedure: ProcedureName, input: unknown): Promise<unknown> };
  close(): Promise<void>;
};

/** The Node server whose database and store every transport of a run shares, and how another process opens both. */
export type SharedServer = { server: TestServer; env: Record<string, string> };

export type TransportRow = {
  name: string;
  open(shared: SharedServer): Promise<Transport>;
  /** Procedures it has no address for. */
  lacks: readonly ProcedureName[];
  /** Whether a caller is known by a session, which can end, or is who the tool says he is. */
  hasSessions: boolean;
};
