import { z } from "zod";
import type { Session, User } from "../accounts/ports.js";
import { createSessionFor, findUser, signIn, upsertUser } from "../accounts/sign-in.js";
import { isAdministrator } from "../media/actor.js";
import { MediaError } from "../media/errors.js";
import { USER_ROLES } from "../media/model.js";
import { SCOPES } from "../media/rights.js";
import { isoDateOut, newPublicIdSchema, refSchema } from "./inputs.js";
import { procedure, router } from "./trpc.js";

const userOut = z.object({
  id: z.number().int(),
  publicId: z.string(),
  email: z.string().nullable(),
  role: z.enum(USER_ROLES),
  verified: z.boolean(),
  createdAt: isoDateOut,
});

const toUserOut = ({ createdAt, ...user }: User): z.infer<typeof userOut> => ({
  ...user,
  createdAt: createdAt.toISOString(),
});

const sessionOut = z.object({ token: z.string(), expiresAt: isoDateOut });
const toSessionOut = ({ token, expiresAt }: Session) => ({ token, expiresAt: expiresAt.toISOString() });

/** Long enough to resist guessing, short enough not to be a way to burn processor time. NIST SP 800-63B: 8 to 64+. */
const newPassword = z.string().min(8).max(256);

export const authRouter = router({
  login: procedure({
    audience: "public",
    summary: "Sign in with email and password; answers a bearer token and sets the session cookie",
    rest: [{ method: "POST", path: "/v1/auth/login" }],
  })
    .input(z.object({ email: z.string().max(254), password: z.string().max(256) }))
    .output(sessionOut.extend({ user: userOut }))
    .mutation(async ({ ctx, input }) => {
      const { session, user } = await signIn(ctx.accounts, input);
      ctx.cookie.set(session);
      return { ...toSessionOut(session), user: toUserOut(user) };
    }),

  logout: procedure({
    audience: "public",
    summary: "End the session the call came with",
    rest: [{ method: "POST", path: "/v1/auth/logout" }],
  })
    .output(z.object({ message: z.string() }))
    .mutation(async ({ ctx }) => {
      if (ctx.sessionToken) await ctx.accounts.sessions.revoke(ctx.sessionToken);
      ctx.cookie.clear();
      return { message: "The session has ended." };
    }),

  me: procedure({
    audience: "signed-in",
    summary: "Who the caller is",
    rest: [{ method: "GET", path: "/v1/auth/me" }],
  })
    .output(
      z.discriminatedUnion("kind", [
        userOut.extend({ kind: z.literal("user") }),
        z.object({ kind: z.literal("token"), name: z.string(), scopes: z.array(z.enum(SCOPES)) }),
        z.object({ kind: z.literal("service") }),
      ]),
    )
    .query(async ({ ctx: { actor, accounts } }) => {
      if (actor.kind === "user") return { kind: actor.kind, ...toUserOut(await findUser(accounts, actor.id)) };
      if (actor.kind === "token") return { kind: actor.kind, name: actor.name, scopes: [...actor.scopes] };
      return { kind: "service" as const };
    }),

  createSession: procedure({
    audience: "service",
    summary: "A session for a user of the platform",
    rest: [{ method: "POST", path: "/v1/auth/sessions" }],
  })
    .input(z.object({ userId: refSchema }))
    .output(sessionOut)
    .mutation(async ({ ctx: { accounts }, input }) => toSessionOut(await createSessionFor(accounts, input.userId))),
});

export const usersRouter = router({
  upsert: procedure({
    audience: "service",
    summary: "Create or update a user, and the user entity; absent fields are left",
    rest: [{ method: "PUT", path: "/v1/users/{publicId}" }],
  })
    .input(
      z.object({
        publicId: newPublicIdSchema,
        email: z.email().max(254).nullable().optional(),
        password: newPassword.optional(),
        role: z.enum(USER_ROLES).optional(),
        verified: z.boolean().optional(),
      }),
    )
    .output(userOut)
    .mutation(async ({ ctx: { deps, accounts }, input }) =>
      toUserOut(await upsertUser(accounts, input, deps.clock.now())),
    ),

  get: procedure({
    audience: "signed-in",
    summary: "One user: oneself, or anyone for admins and services",
    rest: [{ method: "GET", path: "/v1/users/{publicId}" }],
  })
    .input(z.object({ publicId: refSchema }))
    .output(userOut)
    .query(async ({ ctx: { actor, accounts }, input }) => {
      const user = await accounts.users.find(input.publicId);
      if (user && (isAdministrator(actor) || (actor.kind === "user" && actor.id === user.publicId)))
        return toUserOut(user);
      throw new MediaError({ code: "ENTITY_NOT_FOUND", entityType: "user", entityId: String(input.publicId) });
    }),
});
