import { abortedBy } from "./failures.js";

/** Bytes of the request so far. `total` counts the form around the files too, where the browser measures. */
export type UploadProgress = { loaded: number; total: number };

export type FormRequest = {
  url: string;
  form: FormData;
  headers: Record<string, string>;
  credentials: RequestCredentials | undefined;
  signal: AbortSignal | undefined;
  onProgress: ((progress: UploadProgress) => void) | undefined;
};

export type FormAnswer = { status: number; header(name: string): string | null; text: string };

/**
 * Posts a form. Progress needs XMLHttpRequest: fetch tells nothing of a body under way. Where that is missing, or
 * cookies are to stay at home, which it can't do, `onProgress` hears of the end alone. Rejects when no answer
 * came, be it the network or the signal.
 */
export function sendForm(request: FormRequest, fetchForm: typeof fetch): Promise<FormAnswer> {
  const measures = request.onProgress !== undefined && request.credentials !== "omit";
  return measures && typeof XMLHttpRequest === "function" ? sendByXhr(request) : sendByFetch(request, fetchForm);
}

async function sendByFetch(request: FormRequest, fetchForm: typeof fetch): Promise<FormAnswer> {
  const { url, form, headers, credentials, signal, onProgress } = request;
  // Node 24 ends the process over a form that is handed to fetch with a signal already aborted: the body it has begun
  // to write is gone, and that rejection is nobody's.
  refuseAborted(signal);
  const response = await fetchForm(url, {
    method: "POST",
    body: form,
    headers,
    ...(credentials ? { credentials } : {}),
    ...(signal ? { signal } : {}),
  });
  const text = await response.text();
  const total = fileBytes(form);
  if (total !== null) onProgress?.({ loaded: total, total });
  return { status: response.status, header: (name) => response.headers.get(name), text };
}

/** React Native's signal has no `throwIfAborted`. */
function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedBy(signal.reason);
}

/** Null for React Native's form, which does not tell what it holds. */
const fileBytes = (form: FormData): number | null =>
  typeof form.values === "function"
    ? [...form.values()].reduce((sum, value) => (typeof value === "string" ? sum : sum + value.size), 0)
    : null;

function sendByXhr({ url, form, headers, credentials, signal, onProgress }: FormRequest): Promise<FormAnswer> {
  return new Promise((resolve, reject) => {
    refuseAborted(signal);
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    xhr.open("POST", url);
    xhr.withCredentials = credentials === "include";
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded, total }) => onProgress?.({ loaded, total });
    xhr.onload = () =>
      resolve({ status: xhr.status, header: (name) => xhr.getResponseHeader(name), text: xhr.responseText });
    xhr.onerror = () => reject(new TypeError("the connection failed"));
    xhr.onabort = () => reject(abortedBy(signal?.reason));
    xhr.onloadend = () => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort);
    xhr.send(form);
  });
}
