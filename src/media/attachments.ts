/**
 * Every place media can hang. One row an entity type: its route segment, its folder in object keys, who may write,
 * and its fields. Routes, limits, permissions, keys and the client's calls follow from it; a new entity type is one
 * more row. Shared with the client as values, so this file imports nothing.
 */
export type MediaType = "IMAGE" | "VIDEO";

/** Every name a field can have; a new one stands here and in the row that has it. */
export const ENTITY_FIELDS = ["avatar", "cover", "gallery"] as const;
export type EntityField = (typeof ENTITY_FIELDS)[number];

/** How a user can stand to an entity; see `access.ts`. */
export type Standing = "owner" | "admin" | "parent-owner" | "parent-admin" | "grantee";

export type FieldSpec = {
  /** A slot holds at most one current item; a gallery holds many, in order. */
  readonly kind: "slot" | "gallery";
  /** Last segment of the upload route. */
  readonly route: string;
  /** Folder and file name prefix in object keys, for pictures; videos use `videos` and `video`. */
  readonly folder: "avatars" | "covers" | "photos";
  readonly prefix: "avatar" | "cover" | "photo" | "gallery";
  readonly accepts: readonly MediaType[];
  /** Which byte limit of the configuration rules pictures here. */
  readonly imageLimit: "image" | "avatar";
};

export type EntitySpec = {
  readonly segment: string;
  readonly folder: string;
  readonly parent: string | null;
  /** Whether upload routes name the parent first: `communities/{id}/amenities/{amenityId}/…`. */
  readonly nested: boolean;
  /** Any one of these standings may upload and manage. Administrators always may. */
  readonly writers: readonly Standing[];
  /** Whether items of users who are not verified wait for a moderator. */
  readonly moderated: boolean;
  readonly fields: Readonly<Partial<Record<EntityField, FieldSpec>>>;
};

const avatar = (route: string) =>
  ({
    kind: "slot",
    route,
    folder: "avatars",
    prefix: "avatar",
    accepts: ["IMAGE"],
    imageLimit: "avatar",
  }) as const satisfies FieldSpec;

const cover = {
  kind: "slot",
  route: "cover",
  folder: "covers",
  prefix: "cover",
  accepts: ["IMAGE"],
  imageLimit: "image",
} as const satisfies FieldSpec;

const gallery = (route: string, prefix: "photo" | "gallery" = "photo") =>
  ({
    kind: "gallery",
    route,
    folder: "photos",
    prefix,
    accepts: ["IMAGE"],
    imageLimit: "image",
  }) as const satisfies FieldSpec;

const postMedia = {
  ...gallery("media"),
  accepts: ["IMAGE", "VIDEO"],
} as const satisfies FieldSpec;

export const ENTITY_TYPES = {
  user: {
    segment: "users",
    folder: "users",
    parent: null,
    nested: false,
    writers: ["owner"],
    moderated: false,
    fields: { avatar: avatar("avatar"), cover },
  },
  community: {
    segment: "communities",
    folder: "communities",
    parent: null,
    nested: false,
    writers: ["admin"],
    moderated: false,
    fields: { gallery: gallery("photos"), avatar: avatar("logo"), cover },
  },
  amenity: {
    segment: "amenities",
    folder: "amenities",
    parent: "community",
    nested: true,
    writers: ["parent-admin"],
    moderated: false,
    fields: { gallery: gallery("photos") },
  },
  builder: {
    segment: "builders",
    folder: "builders",
    parent: null,
    nested: false,
    writers: ["owner"],
    moderated: false,
    fields: { gallery: gallery("portfolio", "gallery"), avatar: avatar("logo"), cover },
  },
  property: {
    segment: "properties",
    folder: "properties",
    parent: "builder",
    nested: false,
    writers: ["parent-owner", "grantee"],
    moderated: false,
    fields: { gallery: gallery("photos") },
  },
  sales_rep: {
    segment: "sales-reps",
    folder: "sales-reps",
    parent: null,
    nested: false,
    writers: ["owner"],
    moderated: false,
    fields: { avatar: avatar("avatar") },
  },
  post: {
    segment: "posts",
    folder: "posts",
    parent: null,
    nested: false,
    writers: ["owner"],
    moderated: true,
    fields: { gallery: postMedia },
  },
} as const satisfies Record<string, EntitySpec>;

export type EntityType = keyof typeof ENTITY_TYPES;
export const ENTITY_TYPE_NAMES = Object.keys(ENTITY_TYPES) as readonly EntityType[];

/** A named place on an entity type. */
export type Attachment = FieldSpec & {
  readonly entityType: EntityType;
  readonly field: EntityField;
  /** Upload path below `/v1/media`, parameters as `{id}` and, where the route is nested, `{parentId}`. */
  readonly path: string;
};

export const ATTACHMENTS: readonly Attachment[] = ENTITY_TYPE_NAMES.flatMap((entityType) => {
  const entity: EntitySpec = ENTITY_TYPES[entityType];
  return Object.entries(entity.fields).map(([field, spec]) => ({
    ...spec,
    entityType,
    field: field as EntityField,
    path: `${entityPath(entity)}/${spec.route}`,
  }));
});

function entityPath(entity: EntitySpec): string {
  if (!entity.nested || !entity.parent) return `/${entity.segment}/{id}`;
  return `/${ENTITY_TYPES[entity.parent as EntityType].segment}/{parentId}/${entity.segment}/{id}`;
}

/** The attachment, or undefined where the entity type has no such field. */
export const findAttachment = (entityType: string, field: string): Attachment | undefined =>
  ATTACHMENTS.find((a) => a.entityType === entityType && a.field === field);
