import type { UploadPlace } from "../client/index.js";
import { type Attachment, ENTITY_TYPE_NAMES, ENTITY_TYPES, findAttachment } from "../src/media/attachments.js";
import { byId, element } from "./elements.js";
import { formatName } from "./format.js";

/** A gallery or slot of one entity, as the address of the page names it. */
export type Place = { attachment: Attachment; id: string };

const LAST_PLACE = "last-place";

/** From a query string; null where it names no place that exists. */
export function readPlace(query: string): Place | null {
  const values = new URLSearchParams(query);
  const attachment = findAttachment(values.get("type") ?? "", values.get("field") ?? "gallery");
  const id = values.get("id")?.trim();
  return attachment && id ? { attachment, id } : null;
}

const writePlace = ({ attachment, id }: Place): string =>
  new URLSearchParams({ type: attachment.entityType, id, field: attachment.field }).toString();

/** The address's place, or the one last looked at. */
export const startingPlace = (): Place | null =>
  readPlace(location.search) ?? readPlace(localStorage.getItem(LAST_PLACE) ?? "");

/** Puts the place into the address, once, and remembers it. */
export function rememberPlace(place: Place): void {
  const query = writePlace(place);
  localStorage.setItem(LAST_PLACE, query);
  if (location.search !== `?${query}`) history.pushState(null, "", `?${query}`);
}

/** A place of the attachment table is one the client's type allows; the compiler cannot see that. */
export const toUploadPlace = ({ attachment, id }: Place, parentId: string | null): UploadPlace =>
  ({
    entityType: attachment.entityType,
    field: attachment.field,
    id,
    ...(parentId === null ? {} : { parentId }),
  }) as UploadPlace;

/** The form that chooses a place; calls back with what was chosen. */
export function placeForm(onChoose: (place: Place) => void): { show(place: Place): void } {
  const form = byId("place-form", "form");
  const type = byId("place-type", "select");
  const id = byId("place-id", "input");
  const field = byId("place-field", "select");
  type.append(
    ...ENTITY_TYPE_NAMES.map((name) => element("option", { value: name }, formatName(name.replace("_", " ")))),
  );
  const fillFields = () => {
    const names = Object.keys(ENTITY_TYPES[type.value as keyof typeof ENTITY_TYPES].fields);
    field.replaceChildren(...names.map((name) => element("option", { value: name }, formatName(name))));
  };
  type.addEventListener("change", fillFields);
  type.value = "property";
  fillFields();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const attachment = findAttachment(type.value, field.value);
    if (attachment && id.value.trim() !== "") onChoose({ attachment, id: id.value.trim() });
  });
  return {
    show(place) {
      type.value = place.attachment.entityType;
      fillFields();
      field.value = place.attachment.field;
      id.value = place.id;
    },
  };
}
