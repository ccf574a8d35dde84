import { connect } from "node:net";

export type RawAnswer = {
  /** Of the first answer; null where the server closed without one. */
  status: number | null;
  /** Everything that came, further answers on the same connection included, byte by byte. */
  text: string;
};

/** Longest wait for a server that neither answers nor closes. */
const PATIENCE_MS = 5000;

/**
 * Sends exactly these bytes (each character one byte) and answers all that comes until the server closes: no client
 * library would send what an attacker sends.
 */
export function sendRaw(baseUrl: string, request: string): Promise<RawAnswer> {
  const { port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), "localhost", () => void socket.write(Buffer.from(request, "latin1")));
    let text = "";
    const finish = () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      resolve({ status: status === undefined ? null : Number(status), text });
    };
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`neither answered nor closed: ${text}`)));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? finish() : reject(error)));
    socket.on("close", finish);
  });
}

/** A GET whose target goes out as it stands, dots, backslashes and all. */
export const getRaw = (baseUrl: string, target: string, headers: readonly string[] = []): Promise<RawAnswer> =>
  sendRaw(baseUrl, [`GET ${target} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n"));
