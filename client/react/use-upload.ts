import { QueryClientContext } from "@tanstack/react-query";
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { MediaClientError } from "../failures.js";
import { createIdempotencyKey } from "../idempotency-key.js";
import type { MediaClient } from "../index.js";
import type { UploadPlace } from "../place.js";
import type { UploadProgress } from "../send-form.js";
import type { UploadAnswer, UploadOptions } from "../upload.js";
import type { UploadFile } from "../upload-file.js";
import { useMediaClient } from "./provider.js";
import { MEDIA_KEY } from "./query-key.js";

/** Where the hook's upload stands. `progress` is null until the first bytes were told. */
export type UploadState =
  | { status: "idle"; progress: null; answer: null; error: null }
  | { status: "uploading"; progress: UploadProgress | null; answer: null; error: null }
  | { status: "done"; progress: null; answer: UploadAnswer; error: null }
  | { status: "failed"; progress: null; answer: null; error: MediaClientError };

/** As `client.upload` takes them; `abort` is the hook's signal. */
export type UseUploadOptions = Omit<UploadOptions, "signal">;

export type UploadControls = {
  /**
   * Sends a file, ending the upload that is under way. Resolves to null where it failed or was aborted: `status` tells.
   * Rejects with `TypeError` alone, for a place that does not exist.
   */
  start(place: UploadPlace, file: UploadFile, options?: UseUploadOptions): Promise<UploadAnswer | null>;
  /** Ends the upload under way; the state is idle again. */
  abort(): void;
  /** Sends the last file again under its key, so that nothing is stored twice. Null where none was sent. */
  retry(): Promise<UploadAnswer | null>;
};

type Job = { place: UploadPlace; file: UploadFile; options: UseUploadOptions };

const NOTHING = { progress: null, answer: null, error: null } as const;
const IDLE: UploadState = { status: "idle", ...NOTHING };

/**
 * One upload at a time and how it goes. Unmounting ends it. Queries of `useMediaQuery` and `useMediaPages` are read anew
 * when it is done, where there is a `QueryClientProvider` above.
 */
export function useUpload(given?: MediaClient): UploadState & UploadControls {
  const client = useMediaClient(given);
  const queries = useContext(QueryClientContext);
  const [state, setState] = useState<UploadState>(IDLE);
  const running = useRef<AbortController | null>(null);
  const last = useRef<Job | null>(null);

  const run = useCallback(
    async (job: Job): Promise<UploadAnswer | null> => {
      running.current?.abort();
      const controller = new AbortController();
      running.current = controller;
      last.current = job;
      const report = (next: UploadState) => running.current === controller && setState(next);
      report({ status: "uploading", ...NOTHING });
      const answer = await send(client, job, { signal: controller.signal, report });
      if (answer) await queries?.invalidateQueries({ queryKey: [MEDIA_KEY] });
      return answer;
    },
    [client, queries],
  );

  const abort = useCallback(() => running.current?.abort(), []);
  useEffect(() => abort, [abort]);
  const controls = useMemo((): UploadControls => {
    const start: UploadControls["start"] = (place, file, options = {}) =>
      run({ place, file, options: { ...options, idempotencyKey: options.idempotencyKey ?? createIdempotencyKey() } });
    return { start, abort, retry: async () => last.current && run(last.current) };
  }, [run, abort]);
  return { ...state, ...controls };
}

type Run = { signal: AbortSignal; report(state: UploadState): void };

/** Every end is a state; what is not a failure of the request is thrown on. */
async function send(client: MediaClient, { place, file, options }: Job, { signal, report }: Run) {
  const onProgress = (progress: UploadProgress) => {
    report({ ...NOTHING, status: "uploading", progress });
    options.onProgress?.(progress);
  };
  try {
    const answer = await client.upload(place, file, { ...options, onProgress, signal });
    report({ ...NOTHING, status: "done", answer });
    return answer;
  } catch (error) {
    const isFailure = error instanceof MediaClientError && !signal.aborted;
    report(isFailure ? { ...NOTHING, status: "failed", error } : IDLE);
    if (!(error instanceof MediaClientError)) throw error;
    return null;
  }
}
