import { STORAGE_TYPES } from "../../src/media/model.js";
import type { Kit } from "../kit.sqlite.js";

/** Comparisons of rows and objects, and the differences that were seen. */
export function syncTables(k: Kit) {
  const syncRuns = k.table(
    "sync_runs",
    {
      id: k.serial("id"),
      startedAt: k.time("started_at").notNull(),
      finishedAt: k.time("finished_at"),
      phase: k.oneOf("phase", ["rows", "objects", "done"]).notNull(),
      position: k.prose("position"),
      checked: k.bigInteger("checked").notNull(),
      missing: k.bigInteger("missing").notNull(),
      orphaned: k.bigInteger("orphaned").notNull(),
      unknown: k.bigInteger("unknown").notNull(),
      /** `open` until the run is finished, else NULL: uniqueness lets one run be open at a time. */
      openKey: k.asciiKey("open_key", 4),
    },
    (t) => [
      k.uniqueIndex("sync_runs_open_key_unique").on(t.openKey),
      k.index("sync_runs_finished_at_index").on(t.finishedAt, t.id),
    ],
  );
  const storageFindings = k.table(
    "storage_findings",
    {
      id: k.serial("id"),
      kind: k.oneOf("kind", ["missing", "orphan"]).notNull(),
      storageType: k.oneOf("storage_type", STORAGE_TYPES).notNull(),
      objectKey: k.prose("object_key").notNull(),
      /** SHA-256 of the key, hex. A stray object's key may be longer than an index takes. */
      keyDigest: k.asciiKey("key_digest", 64).notNull(),
      mediaId: k.integer("media_id"),
      firstSeenAt: k.time("first_seen_at").notNull(),
      confirmedAt: k.time("confirmed_at"),
    },
    (t) => [
      k.uniqueIndex("storage_findings_kind_storage_type_key_digest_unique").on(t.kind, t.storageType, t.keyDigest),
      k.index("storage_findings_kind_index").on(t.kind, t.id),
      k.index("storage_findings_media_id_index").on(t.mediaId),
      k.index("storage_findings_confirmed_at_index").on(t.kind, t.confirmedAt, t.id),
    ],
  );
  return { syncRuns, storageFindings };
}
