import sharp, { type Sharp } from "sharp";
import { floorPlan, frontDoor, type Hour, hills, house, livingRoom, logo, pool, type Scene } from "./demo-scenes.js";

export type DemoPicture = { filename: string; body: Uint8Array; altText: string };

const LANDSCAPE = { width: 2400, height: 1600 };

const MORNING: Hour = {
  sky: ["#9cc7e6", "#e6dfd9", "#fbd9b0"],
  sun: { x: 0.72, y: 0.36, radius: 0.07, colour: "#fff3d6" },
  ridges: ["#b9c7cf", "#97afb4", "#73948f", "#4f7763", "#34573f"],
  seed: 0.4,
};

const EVENING: Hour = {
  sky: ["#2c2a55", "#a3476b", "#f08a4b"],
  sun: { x: 0.26, y: 0.45, radius: 0.1, colour: "#ffd166" },
  ridges: ["#8c4a6b", "#693b60", "#4a2f53", "#2f2342", "#1b172c"],
  seed: 3.2,
};

const draw = (scene: Scene): Sharp => sharp(Buffer.from(scene.svg), { limitInputPixels: scene.width * scene.height });

/** Bytes of pictures by file name; each is made when it is called. */
const PICTURES: readonly { filename: string; altText: string; make(): Promise<Buffer> }[] = [
  {
    filename: "house-front.jpg",
    altText: "House with a red gable roof behind a lawn, seen from the street",
    make: () => photo(draw(house())),
  },
  {
    filename: "hills-in-the-morning.jpg",
    altText: "View over green hills in morning haze",
    make: () => photo(draw(hills(LANDSCAPE, MORNING))),
  },
  {
    filename: "front-door.jpg",
    altText: "Dark front door in a brick wall, a lamp lit beside it",
    make: () => sideways(draw(frontDoor())),
  },
  {
    filename: "pool.jpg",
    altText: "Swimming pool from above, with two parasols and loungers",
    make: () => photo(draw(pool())),
  },
  {
    filename: "living-room.jpg",
    altText: "Armchair and floor lamp before a tall window at night",
    make: () => photo(draw(livingRoom())),
  },
  {
    filename: "hills-in-the-evening.jpg",
    altText: "The sun setting behind violet hills",
    make: () => photo(draw(hills(LANDSCAPE, EVENING))),
  },
  {
    filename: "floor-plan.jpg",
    altText: "Floor plan: three rooms, bath and an open living space",
    make: () => photo(draw(floorPlan())),
  },
  {
    filename: "builder-mark.png",
    altText: "The builder's mark: a roof over a leaf, in a ring",
    make: () => draw(logo()).png({ compressionLevel: 9 }).toBuffer(),
  },
  {
    filename: "day-passing.webp",
    altText: "The sun moving over hills, animated",
    make: dayPassing,
  },
];

/**
 * Pictures for the demo: landscape, portrait, one stored sideways with a camera's EXIF, one with transparency, one
 * animated; no two of them look alike to the perceptual hash. The same at every call.
 */
export async function makeDemoPictures(): Promise<DemoPicture[]> {
  const pictures: DemoPicture[] = [];
  for (const { filename, altText, make } of PICTURES)
    pictures.push({ filename, altText, body: new Uint8Array(await make()) });
  return pictures;
}

const photo = (drawing: Sharp): Promise<Buffer> => drawing.jpeg({ quality: 88 }).toBuffer();

/** As a camera held upright stores it: turned a quarter to the left, with orientation 6 telling to turn it back. */
function sideways(drawing: Sharp): Promise<Buffer> {
  return drawing
    .rotate(270)
    .jpeg({ quality: 88 })
    .withMetadata({ orientation: 6 })
    .withExifMerge({
      IFD0: { Make: "Artitec", Model: "Demo Camera 1", Artist: "Artitec Media", Copyright: "Free to use" },
      IFD2: {
        DateTimeOriginal: "2026:05:14 18:42:07",
        ExposureTime: "1/125",
        FNumber: "28/10",
        ISOSpeedRatings: "400",
        FocalLength: "35/1",
        LensModel: "Demo 35mm f/2",
      },
    })
    .toBuffer();
}

const FRAMES = 12;
const FRAME_MS = 160;

/** Small on purpose: every frame is decoded and encoded again for every variant. */
async function dayPassing(): Promise<Buffer> {
  const frames = Array.from({ length: FRAMES }, (_, index) => {
    const x = (index + 0.5) / FRAMES;
    const sun = { ...MORNING.sun, x, y: 0.1 + 1.4 * (x - 0.5) ** 2, radius: 0.08 };
    return draw(hills({ width: 480, height: 320 }, { ...MORNING, sky: ["#5aa0d8", "#cfe6f2"], sun, seed: 5.5 }))
      .png()
      .toBuffer();
  });
  const delay = Array.from({ length: FRAMES }, () => FRAME_MS);
  return sharp(await Promise.all(frames), { join: { animated: true } })
    .webp({ quality: 80, delay, loop: 0 })
    .toBuffer();
}
