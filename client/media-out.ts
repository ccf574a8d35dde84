import type { inferRouterOutputs } from "@trpc/server";
import type { AppRouter } from "../src/procedures/public-router.js";

/** One media item as every call answers it. */
export type MediaOut = inferRouterOutputs<AppRouter>["media"]["get"];
