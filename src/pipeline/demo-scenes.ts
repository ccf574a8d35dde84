/**
 * Drawings for the demo as SVG of the given pixel size: no photographs to license, the same on every machine. Text is
 * left out, for fonts differ.
 */
type Size = { width: number; height: number };
export type Scene = Size & { svg: string };

const scene = (size: Size, content: string): Scene => ({
  ...size,
  svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}">${content}</svg>`,
});

const rect = (x: number, y: number, width: number, height: number, attributes: string): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" ${attributes}/>`;
const circle = (cx: number, cy: number, r: number, attributes: string): string =>
  `<circle cx="${cx}" cy="${cy}" r="${r}" ${attributes}/>`;
const path = (d: string, attributes: string): string => `<path d="${d}" ${attributes}/>`;

/** Colours from top to bottom, evenly spaced. */
function gradient(id: string, colours: readonly string[]): string {
  const stops = colours.map((colour, i) => `<stop offset="${i / (colours.length - 1)}" stop-color="${colour}"/>`);
  return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stops.join("")}</linearGradient>`;
}

/** `count` results of `draw`, joined. */
const repeat = (count: number, draw: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => draw(index)).join("");

export type Hour = {
  sky: readonly string[];
  sun: { x: number; y: number; radius: number; colour: string };
  /** From the farthest ridge to the nearest. */
  ridges: readonly string[];
  /** Moves the ridges along, so that every hour looks from another place. */
  seed: number;
};

/** Outline of one ridge: three waves of unrelated lengths, filled down to the lower edge. */
function ridge(
  { width, height }: Size,
  { base, swing, phase }: { base: number; swing: number; phase: number },
): string {
  const step = width / 120;
  const points = Array.from({ length: 121 }, (_, i) => {
    const t = i / 120;
    const wave = Math.sin(t * 5 + phase) + 0.5 * Math.sin(t * 11 + phase * 2.3) + 0.2 * Math.sin(t * 29 + phase * 4.1);
    return `${Math.round(i * step)} ${Math.round(base + wave * swing)}`;
  });
  return `M0 ${height} L${points.join(" L")} L${width} ${height} Z`;
}

/** Layered hills; the farther, the paler. */
export function hills(size: Size, { sky, sun, ridges, seed }: Hour): Scene {
  const { width, height } = size;
  const layers = ridges.map((colour, i) => {
    const depth = i / ridges.length;
    const shape = {
      base: height * (0.46 + 0.48 * depth),
      swing: height * (0.05 + 0.04 * depth),
      phase: seed + i * 1.9,
    };
    return path(ridge(size, shape), `fill="${colour}"`);
  });
  const [x, y] = [sun.x * width, sun.y * height];
  const glow = [2.6, 1.7, 1].map((scale) =>
    circle(x, y, sun.radius * height * scale, `fill="${sun.colour}" opacity="${scale === 1 ? 1 : 0.16}"`),
  );
  return scene(
    size,
    `<defs>${gradient("sky", sky)}</defs>${rect(0, 0, width, height, 'fill="url(#sky)"')}${glow.join("")}${layers.join("")}`,
  );
}

const sashWindow = (x: number, y: number, width: number, height: number): string =>
  rect(x - 16, y - 16, width + 32, height + 32, 'fill="#f6f1e7"') +
  rect(x, y, width, height, 'fill="url(#glass)"') +
  path(`M${x + width / 2} ${y} v${height} M${x} ${y + height / 2} h${width}`, 'stroke="#f6f1e7" stroke-width="14"');

/** A house from the street: gable, chimney, porch, lawn. */
export function house(): Scene {
  const size = { width: 2400, height: 1600 };
  const defs = `<defs>${gradient("sky", ["#8fc1e3", "#cfe5ef", "#f4efe4"])}${gradient("glass", ["#4c6a80", "#93b4c4"])}${gradient("lawn", ["#86a95d", "#5c8347"])}</defs>`;
  const background = `${rect(0, 0, 2400, 1600, 'fill="url(#sky)"')}${rect(0, 1240, 2400, 360, 'fill="url(#lawn)"')}`;
  const trees = [230, 420, 2060, 2260]
    .map((x, i) => rect(x - 18, 960, 36, 320, 'fill="#6b4f3a"') + circle(x, 900 - (i % 2) * 90, 190, 'fill="#4f7a4c"'))
    .join("");
  const body = `${rect(560, 700, 1280, 560, 'fill="#e8dcc6"')}${rect(1440, 200, 120, 300, 'fill="#9a5c48"')}`;
  const roof = `${path("M470 720 L900 300 H1560 L1930 720 Z", 'fill="#7d4436"')}${path("M470 720 H1930 v30 H470 Z", 'fill="#5f3329"')}`;
  const gable = `${path("M640 750 L880 470 L1120 750 Z", 'fill="#efe5d2"')}${sashWindow(810, 600, 140, 120)}`;
  const windows = [640, 860, 1380, 1600].map((x) => sashWindow(x, 860, 150, 220)).join("");
  const door = `${rect(1130, 850, 180, 410, 'fill="#2f5d62"')}${rect(1160, 890, 120, 120, 'fill="url(#glass)"')}${circle(1285, 1080, 10, 'fill="#e5c07b"')}`;
  const front = `${path("M1100 1260 h240 l180 340 h-600 Z", 'fill="#cfc5b4"')}${repeat(7, (i) => circle(600 + i * 70, 1250, 46, 'fill="#466b3f"'))}${repeat(6, (i) => circle(1430 + i * 70, 1250, 46, 'fill="#466b3f"'))}`;
  return scene(size, defs + background + trees + body + roof + gable + windows + door + front);
}

/** A front door between lamp and planters, upright. */
export function frontDoor(): Scene {
  const size = { width: 1600, height: 2400 };
  const defs = `<defs>${gradient("door", ["#27474e", "#1c343a"])}${gradient("light", ["#ffe6a8", "#f7c873"])}</defs>`;
  const wall =
    rect(0, 0, 1600, 2400, 'fill="#b8674c"') +
    repeat(30, (row) =>
      repeat(9, (column) =>
        rect(
          column * 200 - (row % 2) * 100,
          row * 70 + 6,
          188,
          58,
          `fill="${(row * 7 + column * 3) % 4 === 0 ? "#a95a41" : "#c4745a"}"`,
        ),
      ),
    );
  const frame = `${rect(440, 420, 720, 1720, 'fill="#f3ece0"')}${rect(500, 480, 600, 1660, 'fill="url(#door)"')}`;
  const panels = `${rect(570, 560, 460, 360, 'fill="url(#light)"')}${path("M800 560 v360 M570 740 h460", 'stroke="#1c343a" stroke-width="16"')}${rect(570, 1010, 200, 480, 'fill="#34606a"')}${rect(830, 1010, 200, 480, 'fill="#34606a"')}${rect(570, 1570, 460, 460, 'fill="#34606a"')}${circle(1050, 1300, 26, 'fill="#e0b861"')}`;
  const lamp = `${circle(1330, 760, 190, 'fill="#ffe6a8" opacity="0.22"')}${rect(1280, 680, 100, 170, 'fill="url(#light)"')}${path("M1260 680 h140 l-70 -80 Z", 'fill="#2a2a2a"')}`;
  const step = `${rect(300, 2120, 1000, 90, 'fill="#d8cfc0"')}${rect(0, 2200, 1600, 200, 'fill="#9a9184"')}`;
  const planters = [230, 1370]
    .map(
      (x) =>
        `${circle(x, 1740, 170, 'fill="#4d7748"')}${circle(x - 50, 1650, 90, 'fill="#6a9a5b"')}${path(`M${x - 120} 1860 h240 l-40 300 h-160 Z`, 'fill="#54504a"')}`,
    )
    .join("");
  return scene(size, defs + wall + frame + panels + lamp + step + planters);
}

/** A room by night with a tall window, upright. */
export function livingRoom(): Scene {
  const size = { width: 1600, height: 2400 };
  const defs = `<defs>${gradient("night", ["#17233f", "#3a4a77", "#c98b78"])}${gradient("wall", ["#3c3f4a", "#4b4a50"])}</defs>`;
  const room = `${rect(0, 0, 1600, 2400, 'fill="url(#wall)"')}${rect(0, 1780, 1600, 620, 'fill="#6e4f3a"')}${repeat(5, (i) => rect(0, 1780 + i * 124, 1600, 6, 'fill="#5c412f"'))}`;
  const view = `${rect(160, 220, 760, 1360, 'fill="#e9e2d5"')}${rect(200, 260, 680, 1280, 'fill="url(#night)"')}${circle(700, 480, 70, 'fill="#f3ead2"')}${path("M200 1300 Q420 1100 600 1240 T880 1180 V1540 H200 Z", 'fill="#22304d"')}${path("M540 260 v1280 M200 860 h680", 'stroke="#e9e2d5" stroke-width="26"')}`;
  const curtains = `${path("M110 180 h150 q-40 760 30 1480 h-180 Z", 'fill="#8c3f3f"')}${path("M820 180 h150 v1480 h-180 q70 -720 30 -1480 Z", 'fill="#7a3535"')}`;
  const lamp = `${circle(1270, 760, 420, 'fill="#ffd98a" opacity="0.16"')}${path("M1150 860 L1210 600 H1330 L1390 860 Z", 'fill="#ffdf9c"')}${rect(1260, 860, 20, 980, 'fill="#26211d"')}${rect(1170, 1830, 200, 26, 'fill="#26211d"')}`;
  const chair = `${rect(620, 1420, 560, 420, 'rx="90" fill="#2f6f73"')}${rect(560, 1660, 680, 320, 'rx="80" fill="#3a8286"')}${rect(640, 1960, 40, 130, 'fill="#26211d"')}${rect(1120, 1960, 40, 130, 'fill="#26211d"')}`;
  const rug = `<ellipse cx="860" cy="2130" rx="640" ry="130" fill="#c9a66b"/><ellipse cx="860" cy="2130" rx="520" ry="96" fill="#d9bd8b"/>`;
  return scene(size, defs + room + view + curtains + lamp + rug + chair);
}

/** A swimming pool from above. */
export function pool(): Scene {
  const size = { width: 2400, height: 1600 };
  const defs = `<defs>${gradient("water", ["#2aa7c9", "#5fd0df"])}</defs>`;
  const paving = `${rect(0, 0, 2400, 1600, 'fill="#e3d6c1"')}${repeat(15, (i) => rect(i * 160, 0, 6, 1600, 'fill="#d3c4ab"'))}${repeat(10, (i) => rect(0, i * 160, 2400, 6, 'fill="#d3c4ab"'))}`;
  const basin = `${rect(880, 260, 1240, 1080, 'rx="200" fill="#f7f3ea"')}${rect(930, 310, 1140, 980, 'rx="160" fill="url(#water)"')}`;
  const ripples = repeat(8, (i) =>
    path(
      `M1000 ${410 + i * 110} q125 -50 250 0 t250 0 t250 0 t250 0`,
      'fill="none" stroke="#c9f2f5" stroke-width="12" opacity="0.55"',
    ),
  );
  const parasols = [420, 1180]
    .map(
      (y, i) =>
        `${circle(470, y + 20, 230, 'fill="#000000" opacity="0.14"')}${circle(450, y, 230, `fill="${i === 0 ? "#e4572e" : "#f2b134"}"`)}${repeat(8, (k) => path(`M450 ${y} l${Math.round(230 * Math.cos((k * Math.PI) / 4))} ${Math.round(230 * Math.sin((k * Math.PI) / 4))}`, 'stroke="#fff6e5" stroke-width="14"'))}${circle(450, y, 22, 'fill="#fff6e5"')}`,
    )
    .join("");
  const loungers = [740, 860]
    .map((y) => `${rect(180, y, 460, 90, 'rx="24" fill="#fbfaf6"')}${rect(180, y, 120, 90, 'rx="24" fill="#6fb7c4"')}`)
    .join("");
  const hedge = repeat(13, (i) =>
    circle(2320 + (i % 2) * 40, i * 130 + 20, 110, `fill="${i % 2 ? "#3f7d4e" : "#589a5f"}"`),
  );
  return scene(size, defs + paving + basin + ripples + parasols + loungers + hedge);
}

/** Plan of a flat: walls, doors with their swing, the larger furniture. */
export function floorPlan(): Scene {
  const size = { width: 2400, height: 1600 };
  const wall = 'fill="none" stroke="#2b3440" stroke-width="36" stroke-linecap="square"';
  const thin = 'fill="none" stroke="#7b8794" stroke-width="8"';
  const rooms = `${rect(200, 180, 2000, 1240, 'fill="#ffffff"')}${rect(200, 180, 800, 560, 'fill="#eaf1f5"')}${rect(1500, 860, 700, 560, 'fill="#f5efe3"')}${rect(200, 1020, 500, 400, 'fill="#e4efe7"')}`;
  const outer = path("M200 180 H2200 V1420 H1350 M1130 1420 H200 V180", wall);
  const inner = path(
    "M1000 180 V500 M1000 660 V740 H420 M260 740 H200 M700 1420 V1200 M700 1060 V1020 H200 M2200 860 H1740 M1580 860 H1500 V1420",
    wall,
  );
  const doors = `${path("M1350 1420 A220 220 0 0 0 1130 1200 V1420", thin)}${path("M1000 500 A160 160 0 0 1 1160 660 H1000", thin)}${path("M420 740 A160 160 0 0 0 260 900 V740", thin)}${path("M700 1200 A140 140 0 0 0 840 1060 H700", thin)}`;
  const furniture = `${rect(280, 260, 360, 400, `rx="20" ${thin}`)}${rect(300, 280, 150, 90, `rx="14" ${thin}`)}${rect(470, 280, 150, 90, `rx="14" ${thin}`)}${rect(1400, 300, 620, 200, `rx="40" ${thin}`)}${circle(1700, 680, 110, thin)}${rect(1620, 1180, 420, 180, `rx="16" ${thin}`)}${rect(260, 1090, 180, 280, `rx="80" ${thin}`)}${circle(570, 1330, 56, thin)}`;
  return scene(size, rect(0, 0, 2400, 1600, 'fill="#d9dfe4"') + rooms + outer + inner + doors + furniture);
}

/** A mark on nothing: the ground stays transparent. */
export function logo(): Scene {
  const size = { width: 1200, height: 1200 };
  const ring = circle(600, 600, 520, 'fill="none" stroke="#1f4b57" stroke-width="56"');
  const roof = path(
    "M250 640 L600 300 L950 640",
    'fill="none" stroke="#1f4b57" stroke-width="84" stroke-linejoin="round"',
  );
  const leaf = path("M600 900 C380 820 400 600 600 520 C800 600 820 820 600 900 Z", 'fill="#d9822b"');
  return scene(size, ring + roof + leaf + path("M600 900 V640", 'stroke="#fff4e3" stroke-width="22"'));
}
