import { code, linkTo } from "./markdown.js";
import { type Schema, typeText } from "./schema-text.js";

/** Answers longer than this stand in a block of their own. */
const LONGEST_LINE = 110;

export function answerText(schema: Schema): string {
  const text = typeText(schema);
  if (text === "MediaOut") return `Answers ${linkTo("MediaOut")}.\n`;
  if (text.length <= LONGEST_LINE) return `Answers ${code(text)}.\n`;
  return `Answers\n\n\`\`\`ts\n${unfold(text)}\n\`\`\`\n`;
}

/** The members of the outermost object on lines of their own. */
function unfold(text: string): string {
  const lines: string[] = [];
  let depth = 0;
  let line = "";
  for (const part of text.split(/(?<=[{;])\s|\s(?=\})/)) {
    depth += part.split("{").length - part.split("}").length;
    line = line ? `${line} ${part}` : part;
    if (depth > 1) continue;
    lines.push(lines.length === 0 || depth === 0 ? line : `  ${line}`);
    line = "";
  }
  return lines.join("\n");
}
