import { MediaError, type MediaErrorCode } from "./errors.js";
import { dropLostRendition } from "./lost-rendition.js";
import { type MadeRendition, type MakeDeps, makeRendition } from "./make-rendition.js";
import type { Deps } from "./ports.js";
import type { RenditionOrder } from "./rendition-order.js";
import type { RenditionClaim, RenditionTimes } from "./rendition-ports.js";

/** `unavailable`: not now; answer with something that is stored, and let nobody keep that for long. */
export type RenditionOutcome = MadeRendition | { state: "unavailable" };

/** Pictures made on demand: each once, by one of all servers, however many ask. */
export type Renditions = {
  /** What is stored, or is made now. Waits some seconds at most; what is under way goes on. Rejects where the database does. */
  get(order: RenditionOrder): Promise<RenditionOutcome>;
  /** The object was not where its row says: it will be made again. */
  lost(key: string): Promise<void>;
  /** Resolves when nothing is being made. */
  settled(): Promise<void>;
};

/** The same where nothing is made: what is not there is unavailable. */
export const onlyMade = ({ database }: Pick<Deps, "database">): Pick<Renditions, "get"> => ({
  async get({ media, spec }) {
    const known = await database.renditions.find({ mediaId: media.id, spec });
    return known?.state === "made" || known?.state === "unfit" ? known : { state: "unavailable" };
  },
});

type RenditionDeps = MakeDeps & Pick<Deps, "metrics">;

/** How long a page waits for a better format of a picture that it could have at once. */
const PATIENCE_MS = 5_000;
/** How often the row is looked at while another process makes it. */
const PAUSE_MS = 100;
/** Longer than one is ever made: it waits for a process, is decoded and encoded within 15 s, and is put. */
const CLAIM_MS = 2 * 60_000;
/** What could not be made of whole bytes will hardly be made of them next time; a busy machine may have been the cause. */
const RETRY_MS = 60 * 60_000;

/** Failures that say something of the picture, not of the moment. */
const LASTING: readonly MediaErrorCode[] = ["CORRUPT_FILE", "PROCESSING_FAILED", "TOO_MANY_PIXELS", "UNSUPPORTED_TYPE"];

export function createRenditions(deps: RenditionDeps): Renditions {
  const running = new Map<string, Promise<RenditionOutcome>>();

  /** One piece of work a rendition in this process, whoever waits for it. */
  function make(order: RenditionOrder): Promise<RenditionOutcome> {
    const name = `${order.media.id}/${order.spec}`;
    const known = running.get(name);
    if (known) return known;
    const work = claimAndMake(deps, order).finally(() => running.delete(name));
    running.set(name, work);
    return work;
  }

  return {
    async get(order) {
      const known = await deps.database.renditions.find({ mediaId: order.media.id, spec: order.spec });
      if (known?.state === "made" || known?.state === "unfit") return known;
      const work = make(order);
      // Where nobody waits any more nobody would hear of a failure; it was logged.
      work.catch(() => undefined);
      return Promise.race([work, giveUpAfter(deps, PATIENCE_MS)]);
    },
    lost: (key) => dropLostRendition(deps, key),
    async settled() {
      await Promise.allSettled(running.values());
    },
  };
}

async function giveUpAfter({ clock }: RenditionDeps, milliseconds: number): Promise<RenditionOutcome> {
  await clock.pause(milliseconds);
  return { state: "unavailable" };
}

/** Makes it, or waits for the process that does. */
async function claimAndMake(deps: RenditionDeps, order: RenditionOrder): Promise<RenditionOutcome> {
  const claim = { mediaId: order.media.id, spec: order.spec, claim: deps.ids.keyPart() };
  for (let waited = 0; ; waited += PAUSE_MS) {
    const entry = await deps.database.renditions.begin(claim, timesAt(deps.clock.now()));
    if (entry.state === "begun") return makeClaimed(deps, order, claim);
    if (entry.state === "made" || entry.state === "unfit") return entry;
    if (entry.state === "failed" || waited >= PATIENCE_MS) return { state: "unavailable" };
    await deps.clock.pause(PAUSE_MS);
  }
}

const timesAt = (now: Date): RenditionTimes => ({
  now,
  staleBefore: new Date(now.getTime() - CLAIM_MS),
  retryBefore: new Date(now.getTime() - RETRY_MS),
});

async function makeClaimed(
  deps: RenditionDeps,
  order: RenditionOrder,
  claim: RenditionClaim,
): Promise<RenditionOutcome> {
  const { metrics, log, clock } = deps;
  const began = clock.now().getTime();
  const report = (outcome: string) =>
    metrics.renditionFinished({
      contentType: order.contentType,
      outcome,
      seconds: (clock.now().getTime() - began) / 1000,
    });
  try {
    const made = await makeRendition(deps, order, claim);
    report(made.state);
    return made;
  } catch (error) {
    const code = error instanceof MediaError ? error.failure.code : "INTERNAL";
    report(code);
    const { publicId } = order.media;
    log.warn(
      { err: error, media: publicId, spec: order.spec },
      "a rendition could not be made; the stored picture does",
    );
    await giveUp(deps, claim, LASTING.includes(code));
    return { state: "unavailable" };
  }
}

/** A claim that cannot be given up now is taken over when its time is over. */
async function giveUp({ database, clock, log }: RenditionDeps, claim: RenditionClaim, isLasting: boolean) {
  try {
    if (isLasting) await database.renditions.end(claim, "failed", clock.now());
    else await database.renditions.release(claim);
  } catch (error) {
    log.warn({ err: error, spec: claim.spec }, "the claim of a rendition runs out by itself");
  }
}
