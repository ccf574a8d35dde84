import { createRandom } from "../support/seeded-random.js";

/** Choices that follow from a seed alone. */
export type Dice = {
  /** 0 to below `sides`, whole. */
  below(sides: number): number;
  /** One of them; they are at least one. */
  pick<T>(items: readonly T[]): T;
  /** True in this share of throws, 0..1. */
  chance(share: number): boolean;
  bytes(length: number): Buffer;
};

/** Case `number` of a run has dice of its own, so that it comes out the same whatever ran beside it. */
export function createDice(seed: number, number: number): Dice {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const below = (sides: number): number => Math.floor(random() * sides);
  return {
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    chance: (share) => random() < share,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
