import { createContext, createElement, type ReactElement, type ReactNode, useContext } from "react";
import type { MediaClient } from "../index.js";

const MediaContext = createContext<MediaClient | null>(null);

/** Hands one client to the hooks below it. The queries also need a `QueryClientProvider`. */
export function MediaProvider({ client, children }: { client: MediaClient; children?: ReactNode }): ReactElement {
  return createElement(MediaContext.Provider, { value: client }, children);
}

/** The client given, else the provider's. Throws where there is neither. */
export function useMediaClient(given?: MediaClient): MediaClient {
  const provided = useContext(MediaContext);
  const client = given ?? provided;
  if (!client) throw new Error("There is no MediaProvider above this component, and no client was given.");
  return client;
}
