import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { installTestTools } from "./install-test-tools.js";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/**
 * A browser that talks to nobody but the page's server. Installed on first use where that is possible; otherwise throws
 * and names the package.
 */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) await installTestTools();
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
