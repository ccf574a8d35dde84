import { writeFileSync } from "node:fs";
import { renderApiReference } from "./api-reference/reference.js";

writeFileSync(new URL("../docs/api.md", import.meta.url), renderApiReference());
