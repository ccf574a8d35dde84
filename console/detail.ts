import type { MediaOut } from "../client/index.js";
import { marks } from "./card.js";
import { byId, element } from "./elements.js";
import { formatBytes, formatDate, formatName, formatSize } from "./format.js";
import { wholePicture } from "./picture.js";

const GROUPS = ["Description", "File", "Picture", "Place", "State"] as const;

/** Where each field of an item is shown; `sizes` is the table of addresses. A new field does not compile until it is here. */
const FIELD_GROUPS = {
  altText: "Description",
  caption: "Description",
  tags: "Description",
  sourceUrl: "Description",
  filename: "File",
  originalFilename: "File",
  mediaType: "File",
  contentType: "File",
  fileSize: "File",
  storageType: "File",
  bucketName: "File",
  width: "Picture",
  height: "Picture",
  duration: "Picture",
  imageHash: "Picture",
  dominantColor: "Picture",
  placeholder: "Picture",
  focalPoint: "Picture",
  metadata: "Picture",
  entityType: "Place",
  entityId: "Place",
  entityPublicId: "Place",
  entityField: "Place",
  sortOrder: "Place",
  isPrimary: "Place",
  id: "State",
  publicId: "State",
  uploadedBy: "State",
  isPublic: "State",
  isApproved: "State",
  moderationStatus: "State",
  processingStatus: "State",
  createdAt: "State",
  updatedAt: "State",
  originalUrl: "sizes",
  thumbnailUrl: "sizes",
  smallUrl: "sizes",
  mediumUrl: "sizes",
  largeUrl: "sizes",
  videoProcessedUrl: "sizes",
  variants: "sizes",
} as const satisfies Record<keyof MediaOut, (typeof GROUPS)[number] | "sizes">;

type Walk = { previous: (() => void) | null; next: (() => void) | null };

/** The dialog with one item: its picture, every size as a link, every field. */
export function detailView() {
  const dialog = byId("detail-dialog", "dialog");
  const buttons = { previous: byId("detail-previous", "button"), next: byId("detail-next", "button") };
  let walk: Walk = { previous: null, next: null };
  buttons.previous.addEventListener("click", () => walk.previous?.());
  buttons.next.addEventListener("click", () => walk.next?.());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  // On the document, for the focus leaves the dialog when the button that had it is disabled at the last item.
  document.addEventListener("keydown", ({ key, target }) => {
    if (!dialog.open || target instanceof HTMLVideoElement) return;
    if (key === "ArrowLeft") walk.previous?.();
    if (key === "ArrowRight") walk.next?.();
  });
  return {
    show(media: MediaOut, neighbours: Walk) {
      walk = neighbours;
      buttons.previous.disabled = !walk.previous;
      buttons.next.disabled = !walk.next;
      byId("detail-title", "h2").textContent = media.originalFilename;
      byId("detail-body", "div").replaceChildren(
        element("div", { className: "stage" }, stage(media)),
        element(
          "div",
          { className: "facts" },
          element("p", { className: "marks" }, ...marks(media)),
          sizes(media),
          ...fields(media),
        ),
      );
      byId("detail-body", "div").scrollTop = 0;
      if (!dialog.open) dialog.showModal();
    },
  };
}

function stage(media: MediaOut): HTMLElement {
  if (media.mediaType === "IMAGE") return wholePicture(media);
  return element("video", {
    className: "video",
    controls: true,
    preload: "metadata",
    src: media.videoProcessedUrl ?? media.originalUrl,
  });
}

type Size = { name: string; url: string | null; facts: string };

function sizes(media: MediaOut): HTMLElement {
  const variant = (name: string): Size => {
    const made = media.variants.find((one) => one.name === name);
    const facts = made
      ? `${formatSize(made.width, made.height)} · ${formatBytes(made.fileSize)}`
      : "would enlarge the picture";
    return { name, url: made?.url ?? null, facts };
  };
  const facts = `${formatSize(media.width, media.height)} · ${formatBytes(media.fileSize)}`;
  const rows = [
    ...["thumbnail", "small", "medium", "large"].map(variant),
    { name: "original", url: media.originalUrl, facts },
  ];
  if (media.videoProcessedUrl) rows.push({ name: "video", url: media.videoProcessedUrl, facts: "for the web" });
  return element(
    "section",
    {},
    element("h3", {}, "Sizes"),
    element("ul", { className: "sizes" }, ...rows.map(sizeRow)),
  );
}

function sizeRow({ name, url, facts }: Size): HTMLElement {
  const label = formatName(name);
  const link = url ? element("a", { href: url, target: "_blank", rel: "noopener" }, label) : label;
  return element("li", {}, element("span", {}, link), element("span", { className: "muted" }, facts));
}

function fields(media: MediaOut): HTMLElement[] {
  const names = Object.keys(FIELD_GROUPS) as (keyof MediaOut)[];
  return GROUPS.map((group) => {
    const rows = names.filter((name) => FIELD_GROUPS[name] === group).flatMap((name) => fieldRows(name, media[name]));
    return element("section", {}, element("h3", {}, group), element("dl", {}, ...rows));
  });
}

function fieldRows(name: string, value: unknown): HTMLElement[] {
  if (name === "metadata") return metadataRows(value as Record<string, unknown>);
  return row(formatName(name), fieldText(name, value));
}

/** One level of groups (`exif`), each with its own values. */
function metadataRows(metadata: Record<string, unknown>): HTMLElement[] {
  const entries = Object.entries(metadata).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(
          ([inner, one]) => [`${name.toUpperCase()} ${formatName(inner).toLowerCase()}`, one] as const,
        )
      : [[formatName(name), value] as const],
  );
  if (entries.length === 0) return row("Metadata", "");
  return entries.flatMap(([name, value]) => row(name, plainText(value)));
}

const row = (name: string, text: string): HTMLElement[] => [
  element("dt", {}, name),
  text === "" ? element("dd", { className: "muted" }, "–") : element("dd", {}, text),
];

function fieldText(name: string, value: unknown): string {
  if (name === "fileSize") return `${formatBytes(Number(value))} (${String(value)} bytes)`;
  if (name === "createdAt" || name === "updatedAt") return formatDate(String(value));
  return plainText(value);
}

function plainText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
