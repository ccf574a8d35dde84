import { type ENTITY_TYPES, type EntityType, findAttachment } from "../src/media/attachments.js";

/** Either id of an entity: the integer, or the public id. */
export type EntityRef = number | string;

type Fields = { [Type in EntityType]: keyof (typeof ENTITY_TYPES)[Type]["fields"] };
type NestedType = {
  [Type in EntityType]: (typeof ENTITY_TYPES)[Type]["nested"] extends true ? Type : never;
}[EntityType];

type PlaceOf<Type extends EntityType> = { entityType: Type; id: EntityRef; field: Fields[Type] };

/** A named place media can hang: only pairs of entity type and field that exist. */
export type MediaPlace = { [Type in EntityType]: PlaceOf<Type> }[EntityType];

/** The same for uploads of one file, whose addresses name the parent where the entity type is nested below it. */
export type UploadPlace = {
  [Type in EntityType]: Type extends NestedType ? PlaceOf<Type> & { parentId: EntityRef } : PlaceOf<Type>;
}[EntityType];

/** Path below the base address of the place's own upload route. Throws `TypeError` where there is no such place. */
export function uploadPath(place: UploadPlace): string {
  const attachment = findAttachment(place.entityType, place.field);
  if (!attachment) throw new TypeError(`A ${place.entityType} has no field "${place.field}".`);
  const ids: Record<string, EntityRef | undefined> = {
    id: place.id,
    parentId: "parentId" in place ? place.parentId : undefined,
  };
  return `/v1/media${attachment.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new TypeError(`A place of type ${place.entityType} needs ${name}.`);
    return encodeURIComponent(id);
  })}`;
}
