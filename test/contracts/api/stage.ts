import { expect } from "vitest";
import type { z } from "zod";
import { type Actor, ANONYMOUS } from "../../../src/media/actor.js";
import type { EntityType } from "../../../src/media/attachments.js";
import { MediaError, type MediaFailure } from "../../../src/media/errors.js";
import type { UserRole } from "../../../src/media/model.js";
import { appRouter } from "../../../src/procedures/index.js";
import type { ProcedureMeta } from "../../../src/procedures/trpc.js";
import { fillGallery, type TestGallery } from "../../support/gallery.js";
import { quarters } from "../../support/pictures.js";
import { makePlatform } from "../../support/platform.js";
import { SERVICE_TOKEN, type TestServer } from "../../support/server.js";
import type { InputOf, OutputOf, Person, ProcedureName, SharedServer, Transport, TransportRow } from "./transport.js";

type Described = { _def: { meta: ProcedureMeta; output?: z.ZodType } };
export const PROCEDURES = appRouter._def.procedures as unknown as Record<ProcedureName, Described>;
export const PROCEDURE_NAMES = Object.keys(PROCEDURES).sort() as ProcedureName[];

export type People = Record<"nobody" | "owner" | "stranger" | "moderator" | "admin" | "service", Person>;

/** What the transports of one run share beside the server: the people, and a picture. */
export type SharedStage = SharedServer & { people: People; picture: Buffer };

export async function openSharedStage(shared: SharedServer): Promise<SharedStage> {
  const tokens = await makePlatform(shared.server);
  const user = (id: string, token: string, role: UserRole = "user"): Person => ({
    actor: { kind: "user", id, role, verified: false } satisfies Actor,
    token,
  });
  const people = {
    nobody: { actor: ANONYMOUS, token: undefined },
    owner: user("USR-OWNER", tokens.owner),
    stranger: user("USR-STRANGER", tokens.stranger),
    moderator: user("USR-MODERATOR", tokens.moderator, "moderator"),
    admin: user("USR-ADMIN", tokens.admin, "admin"),
    service: { actor: { kind: "service" } as const, token: SERVICE_TOKEN },
  };
  return { ...shared, people, picture: await quarters(60, 60).png().toBuffer() };
}

/** Absent for procedures without an input. */
type Argument<Name extends ProcedureName> = InputOf<Name> extends undefined ? [] : [input: InputOf<Name>];

/** A transport under test, with the means to prepare what it is asked about. */
export type ApiStage = {
  server: TestServer;
  people: People;
  hasSessions: boolean;
  /** Bytes of the picture of every gallery: PNG, 60 pixels a side. */
  picture: Buffer;
  /** The answer, or of a subscription the first event, which fits the procedure's output schema, has no member beyond it, and is plain JSON. */
  call<Name extends ProcedureName>(person: Person, procedure: Name, ...input: Argument<Name>): Promise<OutputOf<Name>>;
  /** Why it was refused; of inputs no type allows, too. */
  refusal(person: Person, procedure: ProcedureName, input?: object): Promise<MediaFailure>;
  /** A public id nothing has yet. */
  newId(prefix: string): string;
  /** A property or a post of the owner's with an item for each letter, all of the same picture. */
  newGallery(letters: string, options?: { type?: "property" | "post"; tags?: string }): Promise<TestGallery>;
  /** An entity of its own. */
  newEntity(type: EntityType, values?: Record<string, unknown>): Promise<string>;
  /** Procedures that answered, and that refused, so far. */
  seen: { answered: Set<ProcedureName>; refused: Set<ProcedureName> };
  close(): Promise<void>;
};

let ids = 0;

export async function openApiStage(shared: SharedStage, row: TransportRow): Promise<ApiStage> {
  const { server, people } = shared;
  const transport = await row.open(shared);
  const newId = (prefix: string) => `${prefix}-API-${++ids}`;
  async function newEntity(type: EntityType, values = {}) {
    const id = newId(type.slice(0, 3).toUpperCase());
    await server.entity(type, id, values);
    return id;
  }
  return {
    server,
    people,
    hasSessions: row.hasSessions,
    picture: shared.picture,
    ...recordCalls(transport),
    newId,
    newEntity,
    async newGallery(letters, { type = "property", tags } = {}) {
      const ties = type === "property" ? { parentId: "BLD-PSALMSFINE-0420" } : { ownerId: "USR-OWNER" };
      const id = await newEntity(type, ties);
      const form = tags === undefined ? [] : [["tags", tags] as const];
      return fillGallery(
        server,
        { type, id },
        { letters, token: people.owner.token ?? "", picture: shared.picture, form },
      );
    },
    close: () => transport.close(),
  };
}

/** Of the answer, or of each event. */
function schemaOf(procedure: ProcedureName): z.ZodType {
  const { output, meta } = PROCEDURES[procedure]._def;
  const schema = output ?? meta.events;
  if (!schema) throw new Error(`${procedure} has no schema`);
  return schema;
}

function recordCalls(transport: Transport): Pick<ApiStage, "call" | "refusal" | "seen"> {
  const seen = { answered: new Set<ProcedureName>(), refused: new Set<ProcedureName>() };
  return {
    seen,
    async call(person, procedure, ...[input]) {
      const output = await transport.as(person).call(procedure, input);
      expect(output, `${procedure} answers JSON`).toStrictEqual(JSON.parse(JSON.stringify(output)));
      expect(output, `${procedure} answers its schema`).toEqual(schemaOf(procedure).parse(output));
      seen.answered.add(procedure);
      return output as never;
    },
    async refusal(person, procedure, input = {}) {
      const error: unknown = await transport
        .as(person)
        .call(procedure, input)
        .then(
          (output) => expect.unreachable(`${procedure} answered ${JSON.stringify(output)}`),
          (thrown: unknown) => thrown,
        );
      if (!(error instanceof MediaError)) throw error;
      seen.refused.add(procedure);
      return error.failure;
    },
  };
}
