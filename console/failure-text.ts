import { type MediaProblem, toMediaClientError } from "../client/index.js";
import { formatBytes } from "./format.js";

type Describe = { [Code in MediaProblem["code"]]?: (problem: Extract<MediaProblem, { code: Code }>) => string };

/** Where the server's sentence can be said better on this page; every other failure speaks for itself. */
const DESCRIBE: Describe = {
  NO_ANSWER: () => "The server cannot be reached. Check the connection and try again.",
  ABORTED: () => "Cancelled.",
  UNAUTHENTICATED: () => "Sign in to do this.",
  FORBIDDEN: (p) => `You may not do this: ${p.reason}.`,
  FILE_TOO_LARGE: (p) => `The file is too large: the limit is ${formatBytes(p.maxBytes)}.`,
  FILE_TOO_SMALL: (p) => `The file is too small: it needs at least ${formatBytes(p.minBytes)}.`,
  TOO_MANY_PIXELS: (p) => `The picture has too many pixels: the limit is ${Math.round(p.maxPixels / 1e6)} megapixels.`,
};

/** What went wrong in a sentence, with the request id where only the server's log knows more. */
export function failureText(error: unknown): string {
  const { problem } = toMediaClientError(error);
  const describe = DESCRIBE[problem.code] as ((problem: MediaProblem) => string) | undefined;
  const sentence = describe ? describe(problem) : problem.detail;
  const isServers = problem.status !== null && problem.status >= 500;
  return isServers && problem.requestId ? `${sentence} (request ${problem.requestId})` : sentence;
}
