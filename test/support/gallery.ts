import type { MediaOut } from "../../src/media/model.js";
import type { TestServer } from "./server.js";

type Place = { type: string; id: string; field?: string };

/** A picture for each letter, uploaded in their order; the letter is the item's file name. */
export async function fillGallery(
  server: Pick<TestServer, "post" | "call">,
  { type, id, field = "gallery" }: Place,
  { letters, token, picture, form = [] }: GalleryContent,
): Promise<TestGallery> {
  const answer = await server.post<{ uploaded: MediaOut[] }>("/v1/media/batch/upload", token, [
    ["entity_type", type],
    ["entity_id", id],
    ["entity_field", field],
    ...form,
    ...Array.from(letters).map((letter) => ["files", [picture, letter]] as const),
  ]);
  if (answer.status !== 201) throw new Error(`The gallery was not filled: ${JSON.stringify(answer.body)}`);
  const items = new Map(answer.body.uploaded.map((media) => [media.originalFilename, media]));
  return {
    path: `/v1/media/entity/${type}/${id}`,
    place: { type, id, field },
    item(letter) {
      const media = items.get(letter);
      if (!media) throw new Error(`There is no item ${letter}.`);
      return media;
    },
    ids: (wanted) => Array.from(wanted).map((letter) => items.get(letter)?.id ?? 0),
    async order() {
      const page = await server.call<{ items: MediaOut[] }>("GET", `/v1/media/entity/${type}/${id}?field=${field}`, {
        token,
      });
      return lettersOf(page.body.items);
    },
  };
}

type GalleryContent = {
  letters: string;
  token: string;
  picture: Uint8Array;
  form?: readonly (readonly [string, string])[];
};

export type TestGallery = {
  path: string;
  place: { type: string; id: string; field: string };
  item(letter: string): MediaOut;
  ids(letters: string): number[];
  /** The letters as the list has them for whoever filled the gallery. */
  order(): Promise<string>;
};

export const lettersOf = (items: readonly MediaOut[]): string => items.map((media) => media.originalFilename).join("");
