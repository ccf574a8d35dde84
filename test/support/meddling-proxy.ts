import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";

/** What passes, changed or not; null breaks the connection off. */
type Meddling = (bytes: Buffer) => Buffer | null;

export type MeddlingProxy = {
  /** The same server, by way of the proxy. */
  endpoint: string;
  /** What is done to bytes on their way; nothing at first. */
  toServer: Meddling;
  toClient: Meddling;
  /** Connections of clients that stand. */
  connections(): number;
  close(): Promise<void>;
};

const asTheyAre: Meddling = (bytes) => bytes;

/** A line between client and server that a test can damage, cut or silence. */
export async function startMeddlingProxy(endpoint: string): Promise<MeddlingProxy> {
  const target = new URL(endpoint);
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    const upstream = dial(Number(target.port), target.hostname);
    const breakOff = () => {
      client.resetAndDestroy();
      upstream.destroy();
    };
    for (const [from, to, side] of [
      [client, upstream, "toServer"],
      [upstream, client, "toClient"],
    ] as const) {
      sockets.add(from);
      from.once("close", () => sockets.delete(from));
      from.once("error", breakOff);
      from.once("end", () => to.end());
      from.on("data", (bytes: Buffer) => {
        const passed = proxy[side](bytes);
        if (passed) to.write(passed);
        else breakOff();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: MeddlingProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    toServer: asTheyAre,
    toClient: asTheyAre,
    connections: () => clients.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
