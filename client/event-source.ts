/** Asks for the stream, from behind the event seen last where there is one. */
export type OpenStream = (url: string, lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;

type Listener = (event: { type: string; data?: string; lastEventId?: string; cause?: unknown }) => void;

const RECONNECT_MS = 1_000;

/**
 * Server-sent events over `fetch`, as far as tRPC's subscriptions need them: unlike the browser's own EventSource it
 * carries a bearer token, asked for anew at each connection, and it is there in Node. What is no stream of events ends
 * it; a connection that breaks is opened again.
 */
export class FetchEventSource {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSED = 2;
  readyState = 0;
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly stopping = new AbortController();
  private lastEventId: string | undefined;

  constructor(url: string, init?: { open: OpenStream; withCredentials?: boolean }) {
    if (!init) throw new TypeError("A stream is opened by the client it belongs to.");
    void this.run(url, init.open);
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, (this.listeners.get(type) ?? new Set()).add(listener));
  }

  removeEventListener(type: string, listener: Listener): void {
    this.listeners.get(type)?.delete(listener);
  }

  close(): void {
    this.readyState = this.CLOSED;
    this.stopping.abort();
  }

  private tell(type: string, event: Omit<Parameters<Listener>[0], "type"> = {}): void {
    for (const listener of this.listeners.get(type) ?? []) listener({ type, ...event });
  }

  private async run(url: string, open: OpenStream): Promise<void> {
    while (this.readyState !== this.CLOSED) {
      let cause: unknown;
      try {
        await this.read(await open(url, this.lastEventId, this.stopping.signal));
      } catch (error) {
        cause = error;
      }
      if (this.readyState === this.CLOSED) return;
      this.readyState = cause instanceof NoStreamError ? this.CLOSED : this.CONNECTING;
      this.tell("error", { cause });
      await new Promise((resolve) => void setTimeout(resolve, RECONNECT_MS));
    }
  }

  private async read(response: Response): Promise<void> {
    const isStream = /^text\/event-stream\b/.test(response.headers.get("content-type") ?? "");
    if (!isStream || !response.body) throw new NoStreamError(`The server answered ${response.status} and no stream.`);
    this.readyState = this.OPEN;
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.readyState === this.CLOSED) return;
      const blocks = `${text}${decoder.decode(value, { stream: true })}`.split(/\n\n+/);
      text = blocks.pop() ?? "";
      for (const block of blocks) this.dispatch(block);
    }
  }

  private dispatch(block: string): void {
    const fields = new Map([...block.matchAll(/^(\w+): ?(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));
    if (fields.has("id")) this.lastEventId = fields.get("id");
    if (!fields.has("data")) return;
    const event = { data: fields.get("data") ?? "", ...(this.lastEventId && { lastEventId: this.lastEventId }) };
    this.tell(fields.get("event") || "message", event);
  }
}

/** An answer that would be the same again. */
class NoStreamError extends Error {}
