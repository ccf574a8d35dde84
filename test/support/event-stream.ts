/** One event of a stream as it stood there; `event` is empty for plain data. */
export type StreamEvent = { event: string; id: string | undefined; data: string };

type Subscription = { token?: string | undefined; input: object; signal?: AbortSignal };

/** Events of a tRPC subscription as they arrive, like any EventSource reads them. Leaving the loop ends the request. */
export async function* subscribe(
  baseUrl: string,
  procedure: string,
  { token, input, signal }: Subscription,
): AsyncGenerator<StreamEvent, void, undefined> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const url = `${baseUrl}/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`;
  const answer = await fetch(url, { headers: { accept: "text/event-stream", ...headers }, signal: signal ?? null });
  if (!answer.headers.get("content-type")?.startsWith("text/event-stream") || !answer.body)
    throw new Error(`${procedure} answered ${answer.status}: ${await answer.text()}`);
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    const blocks = `${text}${decoder.decode(chunk, { stream: true })}`.split(/\n\n+/);
    text = blocks.pop() ?? "";
    for (const block of blocks) if (block.trim() !== "") yield toEvent(block);
  }
}

function toEvent(block: string): StreamEvent {
  const lines = block
    .trim()
    .split("\n")
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
  const { event = "", id, data = "" } = Object.fromEntries(lines) as Partial<StreamEvent>;
  return { event, id, data };
}

/** What the stream says first, as a call would have answered it. */
export async function firstOf<Answer>(baseUrl: string, procedure: string, options: Subscription): Promise<Answer> {
  for await (const { event, data } of subscribe(baseUrl, procedure, options)) {
    if (event === "serialized-error") return { error: JSON.parse(data) as unknown } as Answer;
    if (event === "") return { result: { data: JSON.parse(data) as unknown } } as Answer;
  }
  throw new Error("The stream ended without a word.");
}
