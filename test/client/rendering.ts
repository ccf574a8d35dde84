import { Window } from "happy-dom";
import { act } from "react";
import { vi } from "vitest";

/** What React asks of a browser; requests and forms stay Node's own. */
const NAMES = ["window", "document", "HTMLIFrameElement", "HTMLElement", "Node", "Event"] as const;

/** A document for React to render into. */
export function openBrowser(): {
  document: Document;
  fire(target: Element, type: string): void;
  close(): Promise<void>;
} {
  const window = new Window({ url: "http://localhost/" });
  const given = globalThis as unknown as Record<string, unknown>;
  const before = Object.fromEntries(NAMES.map((name) => [name, given[name]]));
  for (const name of NAMES) given[name] = name === "window" ? window : window[name];
  return {
    document: window.document as unknown as Document,
    fire: (target, type) => void target.dispatchEvent(new window.Event(type, { bubbles: true }) as unknown as Event),
    async close() {
      await window.happyDOM.close();
      Object.assign(given, before);
    },
  };
}

const react = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean };

/** Does the work and renders all that follows from it. Outside, React renders when it comes to it, as in a browser. */
export async function acting<T>(work: () => T | Promise<T>): Promise<T> {
  react.IS_REACT_ACT_ENVIRONMENT = true;
  try {
    return await act(async () => work());
  } finally {
    react.IS_REACT_ACT_ENVIRONMENT = false;
  }
}

/** Looks until what is shown is as expected; the last look's failure is the test's. */
export const until = (look: () => void) => vi.waitFor(look, { timeout: 10_000, interval: 5 });
