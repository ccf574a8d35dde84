import { createClient } from "@libsql/client";
import { createConnection } from "mysql2/promise";
import { filePath } from "../../db/connect-sqlite.js";

export const ITEMS = 100_000;
/** When the first row was made; each further one a minute later. */
const FIRST = new Date("2026-01-01T00:00:00.000Z");
export const momentOf = (n: number) => new Date(FIRST.getTime() + n * 60_000);

/** What the dialects write differently. `n` is an expression of whole numbers. */
type Words = { text(...parts: string[]): string; moment(n: string): string; part(n: string, of: number): string };

const SQLITE: Words = {
  text: (...parts) => parts.map((part) => `(${part})`).join(" || "),
  moment: (n) => `(${FIRST.getTime()} + (${n}) * 60000)`,
  part: (n, of) => `(${n}) / ${of}`,
};
const MYSQL: Words = {
  text: (...parts) => `concat(${parts.join(", ")})`,
  moment: (n) => `timestampadd(minute, ${n}, '${FIRST.toISOString().slice(0, 19).replace("T", " ")}')`,
  part: (n, of) => `(${n}) div ${of}`,
};

const DIGITS =
  "select 0 as d union all select 1 union all select 2 union all select 3 union all select 4 union all " +
  "select 5 union all select 6 union all select 7 union all select 8 union all select 9";

/** One statement that inserts a row for each n from 1. The columns are expressions over n. */
function fill(table: string, rows: number, columns: Readonly<Record<string, string>>): string {
  const names = Object.keys(columns).map((name) => `\`${name}\``);
  const places = ["a", "b", "c", "d", "e"].slice(0, String(rows - 1).length);
  const n = places.map((place, power) => `${place}.d * ${10 ** power}`).join(" + ");
  return (
    `insert into ${table} (${names.join(", ")}) select ${Object.values(columns).join(", ")} from ` +
    `(select 1 + ${n} as n from ${places.map((place) => `(${DIGITS}) as ${place}`).join(", ")}) as numbers ` +
    `where n <= ${rows} order by n`
  );
}

/**
 * Six in ten items hang on 300 properties, the others on posts and communities; 2,000 uploaders; one in 25 is in the
 * trash, few wait for a decision, a third was imported, one in fifty is local and all others are in S3.
 */
function mediaColumns({ text, moment, part }: Words): Record<string, string> {
  const type = "case when n % 5 < 3 then 'property' when n % 5 = 3 then 'post' else 'community' end";
  const status =
    "case when n % 200 = 0 then 'pending' when n % 500 = 1 then 'flagged' when n % 50 = 2 then 'rejected' else 'approved' end";
  const isVideo = "n % 50 = 7";
  const key = text("'o/'", "n", "'.jpg'");
  return {
    id: "n",
    public_id: text("'M-'", "n"),
    filename: "'a.jpg'",
    original_filename: text("'IMG_'", "n", "'.JPG'"),
    media_type: `case when ${isVideo} then 'VIDEO' else 'IMAGE' end`,
    content_type: "'image/jpeg'",
    file_size: "1000 + n",
    content_sha256: text("'digest-'", "n"),
    storage_type: "case when n % 50 = 9 then 'local' else 's3' end",
    storage_path: key,
    original_url: key,
    video_processed_url: `case when ${isVideo} then ${text("'o/'", "n", "'.mp4'")} end`,
    video_processed_size: `case when ${isVideo} then 9 end`,
    entity_type: type,
    entity_id: `1 + ${part("n", 5)} % 300`,
    entity_public_id: text("'E-'", part("n", 5)),
    entity_field: "'gallery'",
    alt_text: text("'View '", "n"),
    sort_order: "n % 7",
    order_key: text("'a'", "n"),
    is_primary: "0",
    source_url: "case when n % 3 = 0 then 'https://example.org/a.jpg' end",
    tags: `'["house", "garden"]'`,
    metadata: "'{}'",
    uploaded_by: `case when n % 11 = 0 then null else ${text("'USR-'", "n % 2000")} end`,
    is_public: "1",
    is_approved: `case when (${status}) = 'approved' then 1 else 0 end`,
    moderation_status: status,
    processing_status: "'ready'",
    created_at: moment("n"),
    updated_at: moment("n"),
    deleted_at: `case when n % 25 = 3 then ${moment("n + 10000")} end`,
    rendered_as: `case when n % 50 = 1 then null when n % 50 = 2 then '1-a' when n % 5000 = 3 then 'focus:1-b' else '1-b' end`,
    missing_since: `case when n % 5000 = 4 then ${moment("n")} end`,
  };
}

function statements(words: Words): string[] {
  const { text, moment, part } = words;
  const isSuspicion = "n % 20 <> 0";
  return [
    fill("media", ITEMS, mediaColumns(words)),
    fill("media_variants", ITEMS, {
      media_id: "n",
      name: "'small'",
      object_key: text("'o/'", "n", "'_small.jpg'"),
      width: "400",
      height: "300",
      content_type: "'image/jpeg'",
      file_size: "n",
    }),
    fill("media_renditions", 20_000, {
      media_id: "n",
      spec: "'large.avif'",
      state: "'made'",
      object_key: text("'o/'", "n", "'_large-r.avif'"),
      width: "400",
      height: "300",
      content_type: "'image/avif'",
      file_size: "n",
      claim: "n",
      instance_id: "'gone'",
      created_at: moment("n"),
    }),
    // Rows from before there were words have none; every one is a "view", one in a thousand an "attic".
    fill("media_search", 20_000, {
      media_id: `${ITEMS - 20_000} + n`,
      words: text(
        "' zwview zw'",
        `${ITEMS - 20_000} + n`,
        "' zwimg zwjpg '",
        "case when n % 1000 = 0 then 'zwattic ' else '' end",
      ),
    }),
    fill("media_hash_bands", ITEMS, {
      bucket: "n * 7919 % 262144",
      hash_high: "n * 7919 % 65536 * 65536 + n % 65536",
      hash_low: "n % 65536",
      media_id: "n",
    }),
    fill("entities", 20_000, {
      row_id: "n",
      type: "case when n % 4 = 0 then 'user' when n % 4 = 1 then 'property' when n % 4 = 2 then 'post' else 'community' end",
      entity_id: part("n + 3", 4),
      public_id: text("'E-'", "n"),
      owner_id: text("'USR-'", "n % 2000"),
      parent_row_id: `case when n > 100 then ${part("n", 100)} end`,
      version: "0",
      created_at: moment("n"),
      updated_at: moment("n"),
    }),
    fill("entity_members", 20_000, { entity_row_id: "n", user_id: text("'USR-'", "n % 1999"), role: "'admin'" }),
    fill("entity_grants", 20_000, {
      entity_row_id: "n",
      user_id: text("'USR-'", "n % 1997"),
      right: "'upload'",
      expires_at: moment("n"),
      created_at: moment("n"),
    }),
    fill("users", 20_000, {
      id: "n",
      public_id: text("'USR-'", "n"),
      email: text("'u'", "n", "'@example.org'"),
      role: "'user'",
      verified: "0",
      created_at: moment("n"),
      updated_at: moment("n"),
    }),
    fill("sessions", 20_000, {
      id: text("'session-'", "n"),
      user_id: text("'USR-'", "n"),
      expires_at: moment("n + 10000000"),
    }),
    fill("moderation_events", 20_000, {
      media_id: part("n", 2),
      from_status: "'pending'",
      to_status: "'approved'",
      created_at: moment("n"),
    }),
    fill("object_deletions", 20_000, {
      object_key: text("'gone/'", "n"),
      key_digest: text("'digest-'", "n"),
      storage_type: "case when n % 10 = 0 then 'local' else 's3' end",
      attempts: "0",
      run_after: moment("n"),
      created_at: moment("n"),
      media_id: "case when n % 7 = 0 then n end",
    }),
    fill("upload_intents", 20_000, {
      id: text("'intent-'", "n"),
      media_public_id: text("'I-'", "n"),
      storage_type: "case when n % 10 = 0 then 'local' else 's3' end",
      keys: `'["a"]'`,
      instance_id: text("'instance-'", "n % 20"),
      is_claimed: "case when n % 100 = 0 then 1 else 0 end",
      created_at: moment("n"),
    }),
    fill("instances", 20, {
      id: text("'instance-'", "n % 20"),
      host: "'elsewhere'",
      pid: "n",
      started_at: moment("n"),
      heartbeat_at: moment("10000000"),
    }),
    fill("storage_findings", 20_000, {
      kind: "case when n % 3 = 0 then 'missing' else 'orphan' end",
      storage_type: "case when n % 2 = 0 then 'local' else 's3' end",
      object_key: text("'stray/'", "n"),
      key_digest: text("'digest-'", "n"),
      media_id: "case when n % 3 = 0 then n end",
      first_seen_at: moment("n"),
      confirmed_at: `case when ${isSuspicion} then null else ${moment("n")} end`,
    }),
    fill("idempotency_keys", 20_000, {
      principal: text("'USR-'", "n % 2000"),
      idempotency_key: text("'key-'", "n"),
      fingerprint: "'f'",
      instance_id: "'instance-1'",
      repeats: "0",
      created_at: moment("n"),
    }),
    fill("direct_uploads", 20_000, {
      id: text("'UPL-'", "n"),
      principal: text("'USR-'", "n % 2000"),
      entity_type: "'property'",
      entity_id: "n",
      entity_field: "'gallery'",
      filename: "'a.jpg'",
      file_size: "n",
      fields: "'{}'",
      object_key: text("'incoming/'", "n"),
      storage_type: "'s3'",
      state: "case when n % 50 = 0 then 'waiting' when n % 20 = 1 then 'failed' else 'ready' end",
      is_cleared: "case when n % 20 = 0 then 0 else 1 end",
      created_at: moment("n"),
      expires_at: moment("n + 60"),
    }),
    fill("usage_counters", 20_000, {
      entity_type: "case when n % 2 = 0 then 'property' else 'post' end",
      entity_field: "'gallery'",
      media_type: "'IMAGE'",
      moderation_status: "'approved'",
      uploaded_by: text("'USR-'", "n"),
      is_trashed: "0",
      items: "1",
      original_bytes: "1",
      variants: "1",
      variant_bytes: "1",
    }),
    fill("upload_days", 2_000, {
      day: text("'d'", "n"),
      entity_type: "'property'",
      media_type: "'IMAGE'",
      items: "1",
      bytes: "1",
    }),
    fill("sync_runs", 2_000, {
      started_at: moment("n"),
      finished_at: moment("n"),
      phase: "'done'",
      checked: "0",
      missing: "0",
      orphaned: "0",
      unknown: "0",
    }),
  ];
}

const TABLES = [
  "media",
  "media_variants",
  "media_search",
  "media_hash_bands",
  "media_renditions",
  "entities",
  "entity_members",
  "entity_grants",
  "users",
  "sessions",
  "moderation_events",
  "object_deletions",
  "upload_intents",
  "instances",
  "storage_findings",
  "idempotency_keys",
  "direct_uploads",
  "usage_counters",
  "upload_days",
  "sync_runs",
];

/** Fills a migrated, empty database; `counted` lets it count what it has, which MariaDB does by itself. */
export async function fillLargely(url: string, { counted }: { counted: boolean }): Promise<void> {
  if (url.startsWith("file:")) {
    const client = createClient({ url: `file:${filePath(url)}`, concurrency: 1 });
    await client.executeMultiple("pragma synchronous = off; pragma cache_size = -200000;");
    await client.batch([...statements(SQLITE), ...(counted ? ["analyze"] : [])], "write");
    client.close();
    return;
  }
  const connection = await createConnection(url);
  for (const statement of statements(MYSQL)) await connection.query(statement);
  await connection.query(`analyze table ${TABLES.join(", ")}`);
  await connection.end();
}
