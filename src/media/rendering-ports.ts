import type { EntityField, EntityType } from "./attachments.js";
import type { Media, StorageType, Variant } from "./model.js";

/** Which pictures a walk is about. Absent: all of them, those in the trash left out. */
export type PictureFilter = {
  entityType?: EntityType | undefined;
  /** With `entityType`. */
  entityId?: number | undefined;
  entityField?: EntityField | undefined;
  /** Of the original. */
  contentType?: string | undefined;
  /** Bounds of the upload, both included. */
  from?: Date | undefined;
  to?: Date | undefined;
  withTrash?: boolean | undefined;
};

/** An item as a walk over renditions names it. */
export type RenderedItem = Pick<Media, "id" | "publicId" | "renderedAs">;

/** What is to take the place of an item's variants. */
export type Replacement = {
  /** All the item has from now on; those it had before may be among them. */
  variants: readonly Variant[];
  renderedAs: string | null;
  /** What is read from the pixels; absent where it stays. */
  picture?: Pick<Media, "width" | "height" | "imageHash" | "placeholder" | "dominantColor"> | undefined;
};

/** An item as it was when its variants were made: what must still be so where they are to be replaced. */
export type SeenItem = Pick<Media, "id" | "storageType" | "storagePath" | "variants" | "focalPoint">;

/** What pictures were made by, and making them anew. Part of `MediaRepository`; videos are not looked at. */
export type MediaRenderings = {
  /** Every value of `renderedAs` that some picture has, null first, then in order, those in the trash included. */
  renderings(): Promise<(string | null)[]>;
  /** Pictures by id; with `renderedAs`, those made by that alone, null for those of which nothing is known. */
  rendered(
    query: PictureFilter & { renderedAs?: string | null | undefined; afterId: number; limit: number },
  ): Promise<RenderedItem[]>;
  /** How many of them there are, on all pages. */
  countRendered(filter: PictureFilter & { renderedAs?: string | null | undefined }): Promise<number>;
  /**
   * Replaces the variants of an item that is still as it was seen, and holds its row until the transaction ends.
   * False, and nothing is changed, where it is gone, is in another store, or has other variants or another focal point.
   */
  replaceVariants(seen: SeenItem, replacement: Replacement, now: Date): Promise<boolean>;
  /** Says what an item was made by, where that is still `from`. Nothing else of the row changes. */
  noteRendering(id: number, change: { from: string | null; to: string | null }): Promise<void>;
};

/** An object that no row names any more and that is still served, for whoever holds its address. */
export type RetiredObject = {
  key: string;
  storageType: StorageType;
  contentType: string;
  fileSize: number;
};
