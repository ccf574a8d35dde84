import type { MediaOut } from "../client/index.js";
import { element } from "./elements.js";
import { formatBytes, formatName, formatSize } from "./format.js";
import { gridPicture } from "./picture.js";

/** What is worth a mark in the grid, and as which kind. Approved and public is what all are: no mark. */
export function marks(media: MediaOut): HTMLElement[] {
  const mark = (text: string, kind: string) => element("span", { className: `mark is-${kind}` }, text);
  return [
    mark(formatName(media.moderationStatus), media.moderationStatus),
    ...(media.isPrimary ? [mark("Primary", "primary")] : []),
    ...(media.isPublic ? [] : [mark("Private", "private")]),
    ...(media.mediaType === "VIDEO" ? [mark("Video", "video")] : []),
    ...(media.processingStatus === "ready" ? [] : [mark(formatName(media.processingStatus), "pending")]),
  ];
}

/** One item of the gallery. */
export function card(media: MediaOut, onOpen: () => void): HTMLLIElement {
  const text = media.altText ?? "No alt text";
  const facts = [formatSize(media.width, media.height), formatBytes(media.fileSize)];
  const button = element(
    "button",
    { type: "button", className: "card" },
    gridPicture(media),
    element("span", { className: media.altText ? "card-text" : "card-text is-missing" }, text),
    element("span", { className: "card-facts muted" }, ...facts.map((fact) => element("span", {}, fact))),
    element("span", { className: "marks" }, ...marks(media)),
  );
  button.addEventListener("click", onOpen);
  return element("li", {}, button);
}

/** What stands in the grid while its items are on their way. */
export const skeletons = (count: number): HTMLLIElement[] =>
  Array.from({ length: count }, () =>
    element("li", { className: "skeleton", ariaHidden: "true" }, element("span", { className: "frame" })),
  );
