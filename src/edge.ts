import { composeEdge, type EdgeContext, type EdgeServer } from "./compose-edge.js";
import { loadEdgeConfig } from "./edge-config.js";

/** Variables are the same for every request of an isolate. Put together at the first: before it nothing may be random. */
let server: EdgeServer | undefined;

export default {
  fetch(request: Request, env: Readonly<Record<string, unknown>>, context: EdgeContext): Promise<Response> {
    server ??= composeEdge(loadEdgeConfig(env));
    return server.fetch(request, context);
  },
};
