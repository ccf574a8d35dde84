import type {
  AnyTRPCRootTypes,
  TRPCBuiltRouter,
  TRPCErrorShape,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPCRouterRecord,
  TRPCSubscriptionProcedure,
} from "@trpc/server";
import type { MediaFailure } from "../media/errors.js";
import { appRouter } from "./index.js";

/** What a failed tRPC call answers: the failure's own facts, its HTTP status and the id of the log line. */
export type PublicErrorShape = TRPCErrorShape<
  MediaFailure & { httpStatus: number; path: string | undefined; requestId: string | null }
>;

type PublicRoot = { ctx: object; meta: object; errorShape: PublicErrorShape; transformer: false };

/** Events with ids, spelled out: tRPC's own name for them is none of those it gives to packages. */
type Events<T> =
  T extends AsyncIterable<{ id: string; data: infer Data }> ? AsyncIterable<{ id: string; data: Data }> : T;

/** Input and output of a procedure without its meta; groups of procedures likewise, at any depth. */
type Public<T> =
  T extends TRPCQueryProcedure<infer Def>
    ? TRPCQueryProcedure<{ input: Def["input"]; output: Def["output"]; meta: unknown }>
    : T extends TRPCMutationProcedure<infer Def>
      ? TRPCMutationProcedure<{ input: Def["input"]; output: Def["output"]; meta: unknown }>
      : T extends TRPCSubscriptionProcedure<infer Def>
        ? TRPCSubscriptionProcedure<{ input: Def["input"]; output: Events<Def["output"]>; meta: unknown }>
        : { [Name in keyof T]: Public<T[Name]> };

/** Erases the server's context and meta from a router's type. Identity at run time. */
function eraseContext<Procedures extends TRPCRouterRecord>(router: TRPCBuiltRouter<AnyTRPCRootTypes, Procedures>) {
  return router as unknown as TRPCBuiltRouter<PublicRoot, Public<Procedures>>;
}

/**
 * A constant because the compiler writes the inferred type of a constant out in full, inputs and outputs as plain
 * object types, where it would copy a type alias as it stands, names of server types and zod included. `Public` is
 * conditional for the same reason: what it resolves to has no alias left. The client package ships these declarations.
 */
const publicRouter = eraseContext(appRouter);

export type AppRouter = typeof publicRouter;
