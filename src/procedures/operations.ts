import { z } from "zod";
import { MEDIA_TYPES } from "../media/model.js";
import { staleVariants } from "../media/stale-variants.js";
import { repairStorage, storageSync } from "../media/storage-health.js";
import { storageUsage, uploadsOverTime } from "../media/usage.js";
import { entityTypeSchema } from "./inputs.js";
import { procedure, router } from "./trpc.js";

const sum = z.object({
  items: z.number().int(),
  originalBytes: z.number().int(),
  variants: z.number().int(),
  variantBytes: z.number().int(),
  bytes: z.number().int().describe("Originals and variants together"),
});
const breakdown = z.array(sum.extend({ key: z.string() }));

const DAY_MS = 86_400_000;
const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

export const analyticsRouter = router({
  storage: procedure({
    audience: "overseer",
    summary: "What is stored, from running counters, by entity type, field, media type, status and uploader",
    rest: [{ method: "GET", path: "/v1/media/analytics/storage" }],
  })
    .input(z.object({ entity_type: entityTypeSchema.optional() }))
    .output(
      z.object({
        total: sum,
        current: sum,
        trash: sum,
        byEntityType: breakdown,
        byField: breakdown,
        byMediaType: breakdown,
        byStatus: breakdown,
        byUploader: breakdown,
      }),
    )
    .query(({ ctx: { deps, actor }, input }) => storageUsage(deps, actor, input.entity_type)),

  uploadsOverTime: procedure({
    audience: "overseer",
    summary: "Uploads by UTC day; the last thirty days where no range is given",
    rest: [{ method: "GET", path: "/v1/media/analytics/uploads" }],
  })
    .input(z.object({ from: z.iso.date().optional(), to: z.iso.date().optional() }))
    .output(
      z.object({
        days: z.array(
          z.object({
            day: z.string(),
            entityType: entityTypeSchema,
            mediaType: z.enum(MEDIA_TYPES),
            items: z.number().int(),
            bytes: z.number().int(),
          }),
        ),
      }),
    )
    .query(async ({ ctx: { deps, actor }, input }) => {
      const to = input.to ?? dayOf(deps.clock.now().getTime());
      const from = input.from ?? dayOf(Date.parse(to) - 29 * DAY_MS);
      return { days: await uploadsOverTime(deps, actor, { from, to }) };
    }),
});

export const healthRouter = router({
  storageSync: procedure({
    audience: "overseer",
    summary: "How rows and objects stood when they were last compared; answers at once",
    rest: [{ method: "GET", path: "/v1/media/health/storage-sync" }],
  })
    .output(
      z.object({
        status: z.enum(["healthy", "degraded", "critical"]),
        totals: z.object({ items: z.number().int(), bytes: z.number().int() }),
        checked: z.number().int(),
        unknown: z.number().int(),
        missing: z.number().int(),
        orphaned: z.number().int(),
        pendingDeletions: z.number().int(),
        lastRunAt: z.iso.datetime().nullable(),
      }),
    )
    .query(({ ctx: { deps, actor } }) => storageSync(deps, actor)),

  staleVariants: procedure({
    audience: "overseer",
    summary: "Pictures whose variants were made by another table or pipeline than this version's, the count and a page",
    rest: [{ method: "GET", path: "/v1/media/health/stale-variants" }],
  })
    .input(z.object({ limit: z.number().int().min(1).max(100).default(50), cursor: z.string().max(1000).optional() }))
    .output(
      z.object({
        rendering: z.string().describe("What this version makes variants by"),
        stale: z.number().int().describe("All of them, the trash left out"),
        items: z.array(
          z.object({
            id: z.number().int(),
            publicId: z.string(),
            renderedAs: z.string().nullable().describe("What its variants were made by; null where that is not known"),
          }),
        ),
        nextCursor: z.string().nullable(),
      }),
    )
    .query(({ ctx: { deps, actor }, input }) => staleVariants(deps, actor, input)),

  repair: procedure({
    audience: "service",
    summary: "Compare rows and objects now; without dryRun: false it only says what it would do",
    rest: [{ method: "POST", path: "/v1/media/health/repair" }],
  })
    .input(z.object({ dryRun: z.boolean().default(true) }))
    .output(
      z.object({
        dryRun: z.boolean(),
        checked: z.number().int(),
        marked: z.array(z.number().int()).describe("Items whose bytes are gone, left out of lists from now on"),
        unmarked: z.array(z.number().int()).describe("Items whose bytes are back"),
        quarantined: z.array(z.string()).describe("Keys no row names, kept for some days"),
        removed: z.array(z.string()).describe("Keys whose quarantine is over"),
      }),
    )
    .mutation(async ({ ctx: { deps, actor }, input }) => {
      const { isDry, ...done } = await repairStorage(deps, actor, { isDry: input.dryRun });
      return { dryRun: isDry, ...done };
    }),
});
