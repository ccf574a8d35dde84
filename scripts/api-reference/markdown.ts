/** In a table a bar would end the cell, in code too. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** `rows` as wide as `head`. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

export const code = (text: string): string => `\`${text}\``;

/** What a heading is called in an address, as GitHub makes it. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

export const linkTo = (heading: string, text = heading): string => `[${text}](#${anchorOf(heading)})`;
