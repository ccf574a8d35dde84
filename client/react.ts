import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseMutationOptions,
  type UseMutationResult,
  type UseQueryOptions,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { getUntypedClient } from "@trpc/client";
import { type MediaClientError, toMediaClientError } from "./failures.js";
import type { MediaClient } from "./index.js";
import { useMediaClient } from "./react/provider.js";
import { MEDIA_KEY } from "./react/query-key.js";
import { delayAfter } from "./retry.js";

type Api = MediaClient["api"];
type Groups = keyof Api & string;
/** `media.list`, `media.get` …: the procedures that have the method. */
type NameOf<Method extends string> = {
  [Group in Groups]: {
    [Name in keyof Api[Group] & string]: Api[Group][Name] extends Record<Method, unknown> ? `${Group}.${Name}` : never;
  }[keyof Api[Group] & string];
}[Groups];
type Call<Path extends string, Method extends string> = Path extends `${infer Group}.${infer Name}`
  ? Group extends Groups
    ? Name extends keyof Api[Group]
      ? Api[Group][Name] extends Record<Method, (...args: infer Args) => Promise<infer Output>>
        ? { input: Args extends [input?: infer Input, ...rest: unknown[]] ? Input : never; output: Output }
        : never
      : never
    : never
  : never;

export type QueryName = NameOf<"query">;
export type QueryInput<Name extends QueryName> = Call<Name, "query">["input"];
export type QueryOutput<Name extends QueryName> = Call<Name, "query">["output"];
export type MutationName = NameOf<"mutate">;
export type MutationInput<Name extends MutationName> = Call<Name, "mutate">["input"];
export type MutationOutput<Name extends MutationName> = Call<Name, "mutate">["output"];
/** Queries that answer pages. */
export type PagedName = {
  [Name in QueryName]: QueryOutput<Name> extends { nextCursor: string | null } ? Name : never;
}[QueryName];

/** Queries are tried again like uploads: where the failure may pass, and not sooner than the server asked for. */
const RETRIES = 3;
const retrying = {
  retry: (failures: number, error: MediaClientError) =>
    failures < RETRIES && delayAfter(error, 1, Math.random) !== null,
  retryDelay: (failures: number, error: MediaClientError) => delayAfter(error, failures + 1, Math.random) ?? 0,
};

/** A query by the name of its procedure, as the client's provider answers it. */
export function useMediaQuery<Name extends QueryName>(
  name: Name,
  input: QueryInput<Name>,
  options: Omit<UseQueryOptions<QueryOutput<Name>, MediaClientError>, "queryKey" | "queryFn"> = {},
): UseQueryResult<QueryOutput<Name>, MediaClientError> {
  const { api } = useMediaClient();
  return useQuery<QueryOutput<Name>, MediaClientError>({
    ...retrying,
    ...options,
    queryKey: [MEDIA_KEY, name, input],
    queryFn: ({ signal }) => call<QueryOutput<Name>>(getUntypedClient(api).query(name, input, { signal })),
  });
}

/** All pages of a query up to the one asked for last; `fetchNextPage` reads on from its `nextCursor`. */
export function useMediaPages<Name extends PagedName>(
  name: Name,
  input: Omit<QueryInput<Name>, "cursor">,
): UseInfiniteQueryResult<InfiniteData<QueryOutput<Name>, string | null>, MediaClientError> {
  const { api } = useMediaClient();
  return useInfiniteQuery({
    ...retrying,
    queryKey: [MEDIA_KEY, name, "pages", input],
    initialPageParam: null as string | null,
    queryFn: ({ signal, pageParam }) => {
      const page = pageParam === null ? input : { ...input, cursor: pageParam };
      return call<QueryOutput<Name>>(getUntypedClient(api).query(name, page, { signal }));
    },
    getNextPageParam: (page) => (page as { nextCursor: string | null }).nextCursor,
  });
}

/**
 * A mutation by the name of its procedure. It is pending until all queries of this package were read anew, also where
 * it failed: the reason may be that something else had changed.
 */
export function useMediaMutation<Name extends MutationName>(
  name: Name,
  options: Omit<UseMutationOptions<MutationOutput<Name>, MediaClientError, MutationInput<Name>>, "mutationFn"> = {},
): UseMutationResult<MutationOutput<Name>, MediaClientError, MutationInput<Name>> {
  const { api } = useMediaClient();
  const queries = useQueryClient();
  return useMutation({
    ...options,
    mutationFn: async (input: MutationInput<Name>) => {
      try {
        return await call<MutationOutput<Name>>(getUntypedClient(api).mutation(name, input));
      } finally {
        await queries.invalidateQueries({ queryKey: [MEDIA_KEY] });
      }
    },
  });
}

/** The names' types are the procedures' own; tRPC's untyped client knows neither. */
async function call<Output>(answer: Promise<unknown>): Promise<Output> {
  try {
    return (await answer) as Output;
  } catch (error) {
    throw toMediaClientError(error);
  }
}

// biome-ignore lint/performance/noBarrelFile: the package's entry for React, and this is it
export { MediaProvider, useMediaClient } from "./react/provider.js";
export { MEDIA_KEY } from "./react/query-key.js";
export { type UploadControls, type UploadState, type UseUploadOptions, useUpload } from "./react/use-upload.js";
