import { StorageUnavailableError } from "../media/ports.js";

/** What an S3 error says of itself: its code, and the status it came with where there was an answer at all. */
type S3Failure = { code: string; status: number | undefined };

export function s3Failure(error: unknown): S3Failure {
  if (!(error instanceof Error)) return { code: "unknown", status: undefined };
  // Connection errors carry a system code beside the name `Error`.
  const systemCode = "code" in error && typeof error.code === "string" ? error.code : null;
  const metadata = "$metadata" in error ? (error.$metadata as { httpStatusCode?: number }) : {};
  return { code: systemCode ?? error.name, status: metadata.httpStatusCode };
}

/** In the words of whoever set the store up. */
const REASONS: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket",
  InvalidAccessKeyId: "it does not know the access key",
  SignatureDoesNotMatch: "the secret access key is wrong",
  AccessDenied: "the access key lacks the right to do this",
  RequestTimeTooSkewed: "the clocks of this machine and the store differ",
  PermanentRedirect: "the bucket is in another region",
  AuthorizationHeaderMalformed: "the bucket is in another region",
  CredentialsProviderError: "no access key was found",
  ECONNREFUSED: "the connection is refused",
  ECONNRESET: "the connection broke off",
  EPIPE: "the connection broke off",
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name cannot be looked up",
  EHOSTUNREACH: "its host cannot be reached",
  ENETUNREACH: "its host cannot be reached",
  ETIMEDOUT: "it did not answer in time",
  AbortError: "it did not answer in time",
  TimeoutError: "it did not answer in time",
  XAmzContentSHA256Mismatch: "the bytes changed on their way",
  BadDigest: "the bytes changed on their way",
  InvalidDigest: "the bytes changed on their way",
};

function reasonOf(error: unknown): string {
  const { code, status } = s3Failure(error);
  const known = REASONS[code];
  if (known) return known;
  // Answers to HEAD carry no code.
  if (status === 403) return "the access key is wrong or lacks the right to do this";
  if (status !== undefined) return `it failed with status ${status} (${code})`;
  return `the request failed (${code})`;
}

/** What the store's refusal or silence means where it is none of the answers a caller expects. */
export const unavailable = (error: unknown): StorageUnavailableError =>
  error instanceof StorageUnavailableError
    ? error
    : new StorageUnavailableError(`The object store does not serve: ${reasonOf(error)}.`, { cause: error });

/** Awaits a request to the store, whose failure becomes a `StorageUnavailableError`. */
export async function onS3<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw unavailable(error);
  }
}
