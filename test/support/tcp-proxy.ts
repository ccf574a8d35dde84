import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A line to a server on this machine that can be disturbed. */
export type TcpProxy = {
  /** Where to connect to, on 127.0.0.1; the same as long as it lives. */
  readonly port: number;
  /** Breaks every connection there is. New ones are taken as before. */
  cut(): void;
  /** Takes no new connections; those there are go on. */
  refuse(): void;
  /** Holds every byte of every connection, of new ones too, without ever saying so. */
  stall(): void;
  /** Holds what the server answers; what it is sent still arrives. */
  mute(): void;
  /** Ends `refuse`, `stall` and `mute`: takes new connections and lets everything flow, also what was held. */
  accept(): Promise<void>;
  close(): void;
};

type Line = { client: Socket; server: Socket };

/** Begins accepting. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const lines = new Set<Line>();
  let flow = flowing;
  let listener = await listen(0, take);
  const { port } = listener.address() as AddressInfo;

  function take(client: Socket): void {
    const line = { client, server: connect(targetPort, "127.0.0.1") };
    const end = () => {
      client.destroy();
      line.server.destroy();
      lines.delete(line);
    };
    for (const socket of [client, line.server]) socket.on("error", end).on("close", end);
    lines.add(line);
    flow(line);
  }

  const change = (to: typeof flow) => {
    flow = to;
    for (const line of lines) flow(line);
  };
  const cut = () => {
    for (const { client } of lines) client.resetAndDestroy();
  };
  const refuse = () => {
    listener.close();
  };
  return {
    port,
    cut,
    refuse,
    stall: () => change(held),
    mute: () => change(muted),
    async accept() {
      change(flowing);
      if (!listener.listening) listener = await listen(port, take);
    },
    close() {
      cut();
      refuse();
    },
  };
}

async function listen(port: number, take: (client: Socket) => void): Promise<Server> {
  const listener = createServer({ pauseOnConnect: true }, take).listen(port, "127.0.0.1");
  await once(listener, "listening");
  return listener;
}

function held({ client, server }: Line): void {
  client.unpipe(server);
  server.unpipe(client);
}

function muted(line: Line): void {
  held(line);
  line.client.pipe(line.server);
}

function flowing(line: Line): void {
  muted(line);
  line.server.pipe(line.client);
}
