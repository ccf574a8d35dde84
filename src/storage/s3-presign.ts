import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { keySegments } from "./key-rules.js";
import type { S3Bucket } from "./s3-client.js";

/** S3 takes no longer: a week. */
const MAX_EXPIRY_SECONDS = 7 * 24 * 60 * 60;

type Validity = {
  expiresInSeconds: number;
  /** Absent: now. Equal times give equal addresses, which a browser's cache can find again. */
  signedAt?: Date;
};

export type PresignGetOptions = Validity & {
  /** What the address is asked with: a signature holds for one method. GET if absent. */
  method?: "GET" | "HEAD";
  /** Headers of the answer, in place of those stored. */
  contentType?: string;
  contentDisposition?: string;
  cacheControl?: string;
};

export type PresignPutOptions = Validity & {
  contentType: string;
  /** Bytes; the store refuses any other length. */
  size: number;
  /** Lower-case hex; servers that know checksums refuse other bytes. */
  sha256?: string;
};

/** `headers` belong to the signature: the request must carry each of them as it is, and the announced length. */
export type PresignedPut = { url: string; headers: Readonly<Record<string, string>> };

/** An address that reads one object until it expires. No request is made. */
export function presignGet({ client, bucket }: S3Bucket, key: string, options: PresignGetOptions): Promise<string> {
  keySegments(key);
  const wanted = {
    Bucket: bucket,
    Key: key,
    ResponseContentType: options.contentType,
    ResponseContentDisposition: options.contentDisposition,
    ResponseCacheControl: options.cacheControl,
  };
  const command = options.method === "HEAD" ? new HeadObjectCommand(wanted) : new GetObjectCommand(wanted);
  return getSignedUrl(client, command, validity(options));
}

/** An address that stores one object until it expires; no second time where the store knows conditional puts. */
export async function presignPut(
  { client, bucket }: S3Bucket,
  key: string,
  options: PresignPutOptions & { ifNoneMatch: boolean },
): Promise<PresignedPut> {
  keySegments(key);
  const headers: Record<string, string> = { "content-type": options.contentType };
  if (options.ifNoneMatch) headers["if-none-match"] = "*";
  const checksum = options.sha256 && base64OfHex(options.sha256);
  if (checksum) headers["x-amz-checksum-sha256"] = checksum;
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    ContentType: options.contentType,
    ContentLength: options.size,
    ...(options.ifNoneMatch && { IfNoneMatch: "*" }),
    ...(checksum && { ChecksumSHA256: checksum }),
  });
  const signed = new Set([...Object.keys(headers), "content-length", "host"]);
  const url = await getSignedUrl(client, command, {
    ...validity(options),
    signableHeaders: signed,
    unhoistableHeaders: signed,
  });
  return { url, headers };
}

function validity({ expiresInSeconds, signedAt }: Validity): { expiresIn: number; signingDate?: Date } {
  if (!(expiresInSeconds > 0 && expiresInSeconds <= MAX_EXPIRY_SECONDS))
    throw new RangeError(`An address is valid for 1 to ${MAX_EXPIRY_SECONDS} seconds.`);
  return { expiresIn: expiresInSeconds, ...(signedAt && { signingDate: signedAt }) };
}

/** Without Node's Buffer, so that addresses can be signed anywhere. */
const base64OfHex = (hex: string): string =>
  btoa(String.fromCharCode(...(hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))));
