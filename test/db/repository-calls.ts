import type { Sessions, TokenRegister, UserDirectory } from "../../src/accounts/ports.js";
import type { NewDirectUpload } from "../../src/media/direct-ports.js";
import type { Entity, MediaListQuery, MediaSearchQuery, Stores } from "../../src/media/ports.js";
import { newMedia } from "../support/media-rows.js";
import { ITEMS, momentOf } from "./large-database.js";

type Ports = Stores & { users: UserDirectory; sessions: Sessions; tokens: TokenRegister };
type Call = {
  run(ports: Ports): Promise<unknown>;
  /** Indexes that must be used, each by some statement of the call, as patterns; no index but primary keys otherwise. */
  by?: readonly string[];
  /** Why it may read a whole table or index. */
  walks?: string;
  /** Why it may sort. */
  sorts?: string;
};

/** Every method of every port. What is not here does not compile, and is not run. */
type Calls = { [P in keyof Ports]: { [M in keyof Ports[P]]: readonly Call[] } };

const property: Entity = {
  id: 77,
  type: "property",
  publicId: "E-305",
  name: null,
  ownerId: null,
  parent: null,
  createdAt: momentOf(1),
  updatedAt: momentOf(1),
};
const NOW = momentOf(20_000);
const audience = { sees: "public", andOwn: "USR-7" } as const;
const page = (over: Partial<MediaListQuery> = {}): MediaListQuery => ({
  entity: property,
  field: "gallery",
  audience,
  limit: 20,
  after: null,
  ...over,
});
const place = { sortOrder: 3, orderKey: "a500", id: 500 };
const search = (over: Partial<MediaSearchQuery>) => (ports: Ports) =>
  ports.media.search({ audience, limit: 20, beforeId: null, ...over });
const of = { contentSha256: "digest-9", imageHash: "0110".repeat(16), mediaType: "IMAGE" } as const;
const local = (key: string) => ({ key, storageType: "local" }) as const;
const IDEMPOTENT = { principal: "USR-7", key: "key-7" };
const RENDITION = { mediaId: 500, spec: "w640.webp", claim: "claim-7" };
const DIRECT: NewDirectUpload = {
  id: "UPL-new",
  principal: "USR-7",
  entityType: "property",
  entityId: 7,
  entityField: "gallery",
  filename: "a.jpg",
  contentType: null,
  fileSize: 1,
  sha256: null,
  objectKey: "incoming/new",
  storageType: "s3",
  fields: {
    alt_text: null,
    caption: null,
    tags: [],
    is_public: true,
    is_primary: false,
    on_duplicate: "keep",
  },
  createdAt: NOW,
  expiresAt: NOW,
};
/** Where an entity has one field only, the one serves as well as the other. */
const GALLERY = ["media_(gallery|entity)_index"];
const NEWEST_FIRST = "goes from the newest item down, until the page is full";
const MADE_BY = ["media_rendered_as_index"];
const IN_ORDER = "a walk over all pictures, by id, page by page";
const FEW_TOKENS = "made by hand, one by one, and listed by hand";
/** As MariaDB and as SQLite name it. */
const WORD_INDEX = ["media_search_words_fulltext|media_search_index VIRTUAL TABLE"];
const ALL_FOUND = "MySQL's full-text index answers in its own order; the ids alone are sorted";
const ONE_STATEMENT_A_REPORT = "the report is about every row";

export const CALLS: Calls = {
  media: {
    find: [
      { run: ({ media }) => media.find(500) },
      { run: ({ media }) => media.find("M-500"), by: ["media_public_id_unique"] },
      { run: ({ media }) => media.find("500"), by: ["media_public_id_unique"] },
    ],
    findByKey: [
      { run: ({ media }) => media.findByKey("o/500.jpg"), by: ["media_storage_path_unique"] },
      { run: ({ media }) => media.findByKey("o/507.mp4"), by: ["media_video_processed_url_unique"] },
      { run: ({ media }) => media.findByKey("o/500_small.jpg"), by: ["media_variants_object_key_unique"] },
      {
        run: ({ media }) => media.findByKey("o/500_large-r.avif"),
        by: ["media_renditions_object_key_unique"],
      },
    ],
    list: [
      { run: ({ media }) => media.list(page()), by: GALLERY },
      { run: ({ media }) => media.list(page({ after: place })), by: GALLERY },
      { run: ({ media }) => media.list(page({ field: undefined })), by: ["media_entity_index"] },
      { run: ({ media }) => media.list(page({ field: undefined, after: place })), by: ["media_entity_index"] },
      { run: ({ media }) => media.list(page({ tag: "house", status: "approved" })), by: GALLERY },
    ],
    insert: [{ run: ({ media }) => media.insert(newMedia(property)), by: ["media_public_id_unique"] }],
    update: [{ run: ({ media }) => media.update(500, { caption: "x", moderationStatus: "flagged" }, NOW) }],
    current: [{ run: ({ media }) => media.current(property, "gallery"), by: GALLERY }],
    currentOfEntity: [{ run: ({ media }) => media.currentOfEntity(property), by: ["media_entity_index"] }],
    lastPlace: [
      { run: ({ media }) => media.lastPlace(property, "gallery"), by: GALLERY },
      { run: ({ media }) => media.lastPlace(property, "gallery", 3), by: GALLERY },
    ],
    fingerprints: [
      { run: ({ media }) => media.fingerprints(property), by: ["media_entity_index"] },
      { run: ({ media }) => media.fingerprints(property, "gallery"), by: GALLERY },
    ],
    lookAlikes: [
      { run: ({ media }) => media.lookAlikes({ of, maxDistance: 10, within: property }), by: ["media_entity_index"] },
      {
        run: ({ media }) => media.lookAlikes({ of, maxDistance: 10, within: "everywhere" }),
        by: ["media_content_index", "media_hash_bands.* range PRIMARY|media_hash_bands USING (COVERING )?INDEX"],
      },
    ],
    findMany: [{ run: ({ media }) => media.findMany([500, 600]) }],
    neighbour: (["before", "after"] as const).map((side) => ({
      run: ({ media }) => media.neighbour({ entity: property, field: "gallery", from: place, except: 5 }, side),
      by: GALLERY,
    })),
    setPlaces: [{ run: ({ media }) => media.setPlaces([{ ...place }, { ...place, id: 501 }], NOW) }],
    remove: [{ run: ({ media }) => media.remove(9_999), by: ["storage_findings_media_id_index"] }],
    queue: [
      {
        run: ({ media }) => media.queue({ statuses: ["pending", "flagged"], limit: 20, after: null }),
        by: ["media_moderation_status_index"],
      },
      {
        run: ({ media }) =>
          media.queue({ statuses: ["pending"], limit: 20, after: { createdAt: momentOf(50_000), id: 50_000 } }),
        by: ["media_moderation_status_index"],
      },
    ],
    search: [
      { run: search({ text: "attic 9" }), by: WORD_INDEX, sorts: ALL_FOUND },
      { run: search({ text: "attic", audience: { sees: "everything" } }), by: WORD_INDEX, sorts: ALL_FOUND },
      { run: search({ text: "img", tag: "house", beforeId: 90_000 }), by: WORD_INDEX, sorts: ALL_FOUND },
      { run: search({ status: "pending" }), walks: NEWEST_FIRST, sorts: "few items have a status but approved" },
      { run: search({ mediaType: "VIDEO", beforeId: 90_000 }), walks: NEWEST_FIRST },
      { run: search({ audience: { sees: "everything" } }), walks: NEWEST_FIRST },
      { run: search({ from: momentOf(99_990), to: momentOf(ITEMS) }), walks: NEWEST_FIRST, sorts: "few days" },
      { run: search({ uploadedBy: "USR-7", beforeId: 50_000 }), by: ["media_uploaded_by_index"] },
      { run: search({ uploadedBy: "USR-7", text: "attic", beforeId: 99_000 }), by: WORD_INDEX, sorts: ALL_FOUND },
    ],
    indexWords: [{ run: ({ media }) => media.indexWords({ afterId: 79_990, limit: 20 }) }],
    purgeable: [
      {
        run: ({ media }) => media.purgeable({ trashedBefore: momentOf(20_000), importedBefore: NOW, limit: 9_000 }),
        by: ["media_deleted_at_index", "media_is_imported_index"],
      },
    ],
    storedItems: [
      { run: ({ media }) => media.storedItems({ afterId: 500, limit: 100 }) },
      {
        run: ({ media }) => media.storedItems({ afterId: 500, limit: 100, storageType: "local" }),
        by: ["media_storage_type_index"],
      },
    ],
    countStored: [{ run: ({ media }) => media.countStored("local"), by: ["media_storage_type_index"] }],
    namesKey: [
      { run: ({ media }) => media.namesKey("o/500.jpg", "s3"), by: ["media_storage_path_unique"] },
      { run: ({ media }) => media.namesKey("o/507.mp4", "s3"), by: ["media_video_processed_url_unique"] },
      { run: ({ media }) => media.namesKey("o/500_small.jpg", "s3"), by: ["media_variants_object_key_unique"] },
    ],
    renderings: [{ run: ({ media }) => media.renderings(), by: MADE_BY }],
    rendered: [
      { run: ({ media }) => media.rendered({ renderedAs: null, afterId: 500, limit: 100 }), by: MADE_BY },
      { run: ({ media }) => media.rendered({ renderedAs: "1-a", afterId: 500, limit: 100 }), by: MADE_BY },
      { run: ({ media }) => media.rendered({ afterId: 500, limit: 100, entityType: "post" }), walks: IN_ORDER },
    ],
    countRendered: [
      { run: ({ media }) => media.countRendered({ renderedAs: "1-a" }), by: MADE_BY },
      { run: ({ media }) => media.countRendered({ entityType: "post" }), walks: "counts once, before a walk" },
    ],
    replaceVariants: [
      {
        run: async ({ media }) => {
          const [item] = await media.findMany([510]);
          if (item) await media.replaceVariants(item, { variants: [], renderedAs: "1-b" }, NOW);
        },
      },
    ],
    noteRendering: [{ run: ({ media }) => media.noteRendering(500, { from: null, to: "1-b" }) }],
    switchStorage: [{ run: ({ media }) => media.switchStorage(509, { from: "local", to: "s3", bucketName: "b" }) }],
    markMissing: [{ run: ({ media }) => media.markMissing(500, NOW) }],
  },
  entities: {
    find: [
      { run: ({ entities }) => entities.find("property", 77), by: ["entities_type_entity_id_unique"] },
      { run: ({ entities }) => entities.find("property", "E-305"), by: ["entities_type_public_id_unique"] },
    ],
    ties: [{ run: ({ entities }) => entities.ties(property, "USR-7", NOW), by: ["entities_type_entity_id_unique"] }],
    lock: [{ run: ({ entities }) => entities.lock(property), by: ["entities_type_entity_id_unique"] }],
    upsert: [
      {
        run: ({ entities }) => entities.upsert({ type: "property", publicId: "E-305", adminIds: ["USR-1"] }, NOW),
        by: ["entities_type_public_id_unique"],
      },
      { run: ({ entities }) => entities.upsert({ type: "property", publicId: "E-new" }, NOW) },
    ],
    adminIds: [{ run: ({ entities }) => entities.adminIds(property) }],
    children: [
      {
        run: ({ entities }) => entities.children(property),
        by: ["entities_parent_row_id_index"],
        sorts: "one entity has some hundred children",
      },
    ],
    list: [
      {
        run: ({ entities }) => entities.list({ type: "property", limit: 50, after: 700 }),
        by: ["entities_type_entity_id_unique"],
      },
    ],
    delete: [
      {
        run: ({ entities }) => entities.delete({ ...property, id: 5 }, NOW),
        by: ["entities_type_entity_id_unique"],
      },
    ],
    grant: [
      { run: ({ entities }) => entities.grant(property, { userId: "USR-3", right: "upload", expiresAt: null }, NOW) },
    ],
    revoke: [{ run: ({ entities }) => entities.revoke(property, "USR-3") }],
    grants: [{ run: ({ entities }) => entities.grants(property), sorts: "one entity has few grants" }],
    tied: [
      {
        run: ({ entities }) => entities.tied("USR-7", NOW, 100),
        by: ["entities_owner_id_index", "entity_members_user_id_index", "entity_grants_user_id_index"],
        sorts: "one user is tied to some hundred entities",
      },
    ],
  },
  intents: {
    open: [
      {
        run: ({ intents }) => intents.open({ id: "new", mediaPublicId: "M", storageType: "local", keys: ["a"] }, NOW),
      },
    ],
    close: [{ run: ({ intents }) => intents.close("intent-7") }],
    abandon: [{ run: ({ intents }) => intents.abandon("intent-8") }],
    claimAbandoned: [
      {
        run: ({ intents }) => intents.claimAbandoned({ storageType: "local", now: NOW, limit: 10 }),
        by: ["upload_intents_storage_type_index"],
      },
    ],
    forget: [{ run: ({ intents }) => intents.forget("intent-9") }],
  },
  moderation: {
    add: [
      {
        run: ({ moderation }) =>
          moderation.add({ mediaId: 5, actorId: null, from: "pending", to: "approved", reason: null, createdAt: NOW }),
      },
    ],
    history: [{ run: ({ moderation }) => moderation.history(500), by: ["moderation_events_media_id_index"] }],
  },
  deletions: {
    add: [{ run: ({ deletions }) => deletions.add([local("x")], NOW) }],
    retire: [
      {
        run: ({ deletions }) =>
          deletions.retire(5, [{ ...local("x"), contentType: "image/jpeg", fileSize: 1 }], { now: NOW, until: NOW }),
      },
    ],
    findRetired: [
      { run: ({ deletions }) => deletions.findRetired("gone", NOW), by: ["object_deletions_key_digest_index"] },
    ],
    hasten: [{ run: ({ deletions }) => deletions.hasten(5, NOW), by: ["object_deletions_media_id_index"] }],
    due: [
      {
        run: ({ deletions }) => deletions.due({ storageType: "local", now: NOW, limit: 50 }),
        by: ["object_deletions_due_index"],
      },
    ],
    done: [{ run: ({ deletions }) => deletions.done([7, 8, 9]) }],
    postpone: [{ run: ({ deletions }) => deletions.postpone(10, NOW) }],
    holds: [{ run: ({ deletions }) => deletions.holds(local("gone")), by: ["object_deletions_key_digest_index"] }],
    size: [{ run: ({ deletions }) => deletions.size(), walks: "counts every row" }],
  },
  idempotency: {
    begin: [{ run: ({ idempotency }) => idempotency.begin(IDEMPOTENT, "f", { now: NOW, expiresBefore: momentOf(1) }) }],
    finish: [
      {
        run: async ({ idempotency }) => {
          const fresh = { ...IDEMPOTENT, key: "fresh" };
          await idempotency.begin(fresh, "f", { now: NOW, expiresBefore: momentOf(1) });
          await idempotency.finish(fresh, { mediaId: 1, reused: false, duplicates: [] });
        },
      },
    ],
    release: [{ run: ({ idempotency }) => idempotency.release(IDEMPOTENT) }],
    expire: [{ run: ({ idempotency }) => idempotency.expire(momentOf(20)), by: ["idempotency_keys_created_at_index"] }],
  },
  usage: {
    usage: [
      { run: ({ usage }) => usage.usage({}), walks: ONE_STATEMENT_A_REPORT, sorts: ONE_STATEMENT_A_REPORT },
      {
        run: ({ usage }) => usage.usage({ entityType: "post" }),
        walks: ONE_STATEMENT_A_REPORT,
        sorts: ONE_STATEMENT_A_REPORT,
      },
    ],
    uploadDays: [{ run: ({ usage }) => usage.uploadDays({ from: "d1000", to: "d1003" }) }],
  },
  sync: {
    resume: [{ run: ({ sync }) => sync.resume(NOW), by: ["sync_runs_open_key_unique"] }],
    save: [{ run: async ({ sync }) => sync.save(await sync.resume(NOW)) }],
    lastFinished: [{ run: ({ sync }) => sync.lastFinished(), by: ["sync_runs_finished_at_index"] }],
    find: [
      {
        run: async ({ sync }) => {
          await sync.sight({ kind: "orphan", ...local("z"), mediaId: null }, NOW);
          await sync.find("orphan", local("z"));
        },
        by: ["storage_findings_kind_storage_type_key_digest_unique"],
      },
    ],
    sight: [
      {
        run: ({ sync }) => sync.sight({ kind: "orphan", ...local("y"), mediaId: null }, NOW),
        by: ["storage_findings_kind_storage_type_key_digest_unique"],
      },
    ],
    confirm: [{ run: ({ sync }) => sync.confirm(7, NOW) }],
    clear: [
      {
        run: ({ sync }) => sync.clear("orphan", local("y")),
        by: ["storage_findings_kind_storage_type_key_digest_unique"],
      },
    ],
    findings: [
      { run: ({ sync }) => sync.findings({ kind: "orphan", limit: 50 }), by: ["storage_findings_kind_index"] },
      {
        run: ({ sync }) => sync.findings({ kind: "orphan", confirmedBefore: NOW, limit: 50 }),
        by: ["storage_findings_confirmed_at_index"],
      },
    ],
    counts: [{ run: ({ sync }) => sync.counts(), by: ["storage_findings_confirmed_at_index"] }],
  },
  renditions: {
    find: [{ run: ({ renditions }) => renditions.find(RENDITION) }],
    begin: [{ run: ({ renditions }) => renditions.begin(RENDITION, { now: NOW, staleBefore: NOW, retryBefore: NOW }) }],
    finish: [
      {
        run: ({ renditions }) => {
          const made = {
            key: "o/500_w640-new.webp",
            width: 1,
            height: 1,
            contentType: "image/webp",
            fileSize: 1,
          } as const;
          return renditions.finish(RENDITION, made, NOW);
        },
      },
    ],
    end: [{ run: ({ renditions }) => renditions.end(RENDITION, "unfit", NOW) }],
    release: [{ run: ({ renditions }) => renditions.release(RENDITION) }],
    madeOf: [{ run: ({ renditions }) => renditions.madeOf([499, 500, 501]) }],
    takeAway: [
      { run: ({ renditions }) => renditions.takeAway(500) },
      { run: ({ renditions }) => renditions.takeAway(500, ["large.avif", "w640.webp"]) },
    ],
    drop: [
      { run: ({ renditions }) => renditions.drop("o/500_large-r.avif"), by: ["media_renditions_object_key_unique"] },
    ],
  },
  directUploads: {
    open: [{ run: ({ directUploads }) => directUploads.open(DIRECT) }],
    find: [{ run: ({ directUploads }) => directUploads.find("UPL-7") }],
    countOpen: [
      { run: ({ directUploads }) => directUploads.countOpen("USR-7", NOW), by: ["direct_uploads_principal_index"] },
    ],
    begin: [{ run: ({ directUploads }) => directUploads.begin("UPL-50") }],
    giveBack: [{ run: ({ directUploads }) => directUploads.giveBack("UPL-50") }],
    finish: [
      { run: ({ directUploads }) => directUploads.finish("UPL-50", { mediaId: 1, reused: false, duplicates: [] }) },
    ],
    fail: [{ run: ({ directUploads }) => directUploads.fail("UPL-100", { code: "EMPTY_FILE" }) }],
    holds: [
      {
        run: ({ directUploads }) => directUploads.holds({ key: "incoming/20", storageType: "s3" }),
        by: ["direct_uploads_object_key_unique"],
      },
    ],
    uncleared: [
      {
        run: ({ directUploads }) => directUploads.uncleared({ expiredBefore: momentOf(5_000), limit: 100 }),
        by: ["direct_uploads_expires_at_index"],
      },
    ],
    clear: [{ run: ({ directUploads }) => directUploads.clear("UPL-20") }],
    forget: [
      {
        run: ({ directUploads }) => directUploads.forget(momentOf(100)),
        by: ["direct_uploads_expires_at_index"],
      },
    ],
  },
  users: {
    find: [{ run: ({ users }) => users.find("USR-7"), by: ["users_public_id_unique"] }],
    credentials: [{ run: ({ users }) => users.credentials("u7@example.org"), by: ["users_email_unique"] }],
    upsert: [{ run: ({ users }) => users.upsert({ publicId: "USR-new", email: "new@example.org" }, NOW) }],
  },
  sessions: {
    create: [{ run: ({ sessions }) => sessions.create("USR-7") }],
    validate: [{ run: ({ sessions }) => sessions.validate("token") }],
    revoke: [{ run: ({ sessions }) => sessions.revoke("token") }],
    revokeAll: [{ run: ({ sessions }) => sessions.revokeAll("USR-9"), by: ["sessions_user_id_index"] }],
    sweep: [{ run: ({ sessions }) => sessions.sweep(), by: ["sessions_expires_at_index"] }],
  },
  tokens: {
    add: [
      {
        run: ({ tokens }) => tokens.add("ams_new", { name: "new", scopes: ["read"], expiresAt: null }, NOW),
        by: ["service_tokens_living_name_unique"],
      },
    ],
    find: [
      {
        run: async ({ tokens }) => {
          await tokens.add("ams_7", { name: "seven", scopes: ["read"], expiresAt: null }, NOW);
          await tokens.find("ams_7", NOW);
        },
        by: ["service_tokens_digest_unique"],
      },
    ],
    noteUse: [{ run: ({ tokens }) => tokens.noteUse("ams_7", NOW), by: ["service_tokens_digest_unique"] }],
    list: [{ run: ({ tokens }) => tokens.list(), walks: FEW_TOKENS, sorts: FEW_TOKENS }],
    revoke: [{ run: ({ tokens }) => tokens.revoke("new", NOW), by: ["service_tokens_living_name_unique"] }],
  },
};
