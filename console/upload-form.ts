import type { BatchAnswer, MediaClient, UploadProgress } from "../client/index.js";
import { ENTITY_TYPES } from "../src/media/attachments.js";
import { byId, element, notice } from "./elements.js";
import { failureText } from "./failure-text.js";
import { formatBytes } from "./format.js";
import { type Place, toUploadPlace } from "./place.js";

/** So many files go in one request, below the server's limit of a batch. */
const FILES_PER_REQUEST = 10;

/** `notes` and `refused` are sentences for people. */
type Outcome = { stored: number; notes: string[]; refused: string[] };
type Job = { place: Place; files: readonly File[]; signal: AbortSignal; onProgress(progress: UploadProgress): void };

/** The form that uploads to the place shown. Calls back when something was stored. */
export function uploadForm(client: MediaClient, onStored: () => void) {
  const form = byId("upload-form", "form");
  const input = byId("upload-files", "input");
  let place: Place | null = null;
  let files: readonly File[] = [];
  let running: AbortController | null = null;

  const choose = (chosen: readonly File[]) => {
    files = place?.attachment.kind === "slot" ? chosen.slice(0, 1) : chosen;
    input.value = "";
    showChosen(files);
  };
  const submit = async () => {
    if (!place || files.length === 0 || running) return;
    running = new AbortController();
    showRunning(true);
    const outcome = await uploadAll(client, { place, files, signal: running.signal, onProgress: showProgress });
    running = null;
    showRunning(false);
    showOutcome(outcome);
    choose([]);
    if (outcome.stored > 0) onStored();
  };

  input.addEventListener("change", () => choose([...(input.files ?? [])]));
  acceptDrops(form, choose);
  byId("upload-cancel", "button").addEventListener("click", () => (running ? running.abort() : choose([])));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  return {
    /** Null hides the form: nothing is shown, or nobody is signed in. */
    setPlace(next: Place | null) {
      place = next;
      form.hidden = next === null;
      if (next) showRule(next);
      byId("upload-result", "div").replaceChildren();
      choose([]);
    },
  };
}

function acceptDrops(form: HTMLFormElement, choose: (files: readonly File[]) => void): void {
  const zone = byId("drop-zone", "div");
  const over = (is: boolean) => (event: DragEvent) => {
    event.preventDefault();
    zone.classList.toggle("is-over", is);
  };
  form.addEventListener("dragover", over(true));
  form.addEventListener("dragleave", over(false));
  form.addEventListener("drop", (event) => {
    over(false)(event);
    choose([...(event.dataTransfer?.files ?? [])]);
  });
}

/** One file goes to its own address with its text, several as batches; what fails is told by file. */
async function uploadAll(client: MediaClient, job: Job): Promise<Outcome> {
  const [first, ...others] = job.files;
  try {
    if (first && others.length === 0) return await uploadOne(client, job, first);
    return await uploadBatches(client, job);
  } catch (error) {
    return { stored: 0, notes: [], refused: [failureText(error)] };
  }
}

async function uploadOne(client: MediaClient, { place, signal, onProgress }: Job, file: File): Promise<Outcome> {
  const altText = byId("upload-alt", "input").value.trim();
  const fields = altText === "" ? sharedFields() : { ...sharedFields(), altText };
  const at = toUploadPlace(place, await parentOf(client, place));
  const { duplicates } = await client.upload(at, file, { ...fields, signal, onProgress });
  const notes = duplicates.map(({ publicId }) => `The same picture is already here as ${publicId}.`);
  return { stored: 1, notes, refused: [] };
}

/** Nested routes name the parent, which the address of this page does not. */
async function parentOf({ api }: MediaClient, { attachment, id }: Place): Promise<string | null> {
  if (!ENTITY_TYPES[attachment.entityType].nested) return null;
  return (await api.entities.get.query({ type: attachment.entityType, publicId: id })).parentId;
}

async function uploadBatches(client: MediaClient, job: Job): Promise<Outcome> {
  const outcome: Outcome = { stored: 0, notes: [], refused: [] };
  const total = sizeOf(job.files);
  let done = 0;
  for (let start = 0; start < job.files.length; start += FILES_PER_REQUEST) {
    const files = job.files.slice(start, start + FILES_PER_REQUEST);
    const before = done;
    const onProgress = ({ loaded }: UploadProgress) => job.onProgress({ loaded: before + loaded, total });
    try {
      const at = toUploadPlace(job.place, null);
      const answer = await client.uploadBatch(at, files, { ...sharedFields(), signal: job.signal, onProgress });
      outcome.stored += answer.uploadedCount;
      outcome.refused.push(...answer.failed.map(refusal));
    } catch (error) {
      outcome.refused.push(`${files.map((file) => file.name).join(", ")}: ${failureText(error)}`);
    }
    if (job.signal.aborted) break;
    done += sizeOf(files);
  }
  return outcome;
}

const refusal = ({ filename, message }: BatchAnswer["failed"][number]): string => `${filename}: ${message}`;
const sizeOf = (files: readonly File[]): number => files.reduce((sum, file) => sum + file.size, 0);

function sharedFields() {
  const tags = byId("upload-tags", "input")
    .value.split(",")
    .map((tag) => tag.trim());
  return { tags: tags.filter((tag) => tag !== ""), isPublic: byId("upload-public", "input").checked };
}

function showRule({ attachment }: Place): void {
  const input = byId("upload-files", "input");
  const isSlot = attachment.kind === "slot";
  input.multiple = !isSlot;
  input.accept = attachment.accepts.map((type) => (type === "VIDEO" ? "video/*" : "image/*,.heic,.heif")).join(",");
  const what = attachment.accepts.includes("VIDEO") ? "Pictures and videos" : "Pictures";
  byId("upload-rule", "p").textContent = isSlot
    ? `One picture; it replaces the ${attachment.field}.`
    : `${what}, as many as you like.`;
}

function showChosen(files: readonly File[]): void {
  byId("upload-details", "div").hidden = files.length === 0;
  if (files.length > 0) byId("upload-result", "div").replaceChildren();
  const rows = files.map((file) =>
    element("li", {}, element("span", {}, file.name), element("span", { className: "muted" }, formatBytes(file.size))),
  );
  byId("upload-chosen", "ul").replaceChildren(...rows);
  const alt = byId("upload-alt", "input");
  alt.value = "";
  alt.disabled = files.length > 1;
  byId("upload-alt-hint", "p").textContent =
    files.length > 1 ? "Goes with one picture at a time." : "What the picture shows, for those who cannot see it.";
  byId("upload-submit", "button").textContent = files.length > 1 ? `Upload ${files.length} files` : "Upload";
}

function showRunning(isRunning: boolean): void {
  const progress = byId("upload-progress", "div");
  progress.hidden = !isRunning;
  if (isRunning) progress.scrollIntoView({ block: "nearest" });
  byId("upload-submit", "button").disabled = isRunning;
  showProgress({ loaded: 0, total: 1 });
}

/** Bytes are soon sent; what takes longer then is the server's work on them. */
function showProgress({ loaded, total }: UploadProgress): void {
  const share = total === 0 ? 0 : Math.min(1, loaded / total);
  byId("upload-bar", "progress").value = share;
  byId("upload-percent", "span").textContent = share < 1 ? `${Math.round(share * 100)} %` : "Processing …";
}

function showOutcome({ stored, notes, refused }: Outcome): void {
  const told = stored === 0 ? "" : stored === 1 ? "1 file was stored." : `${stored} files were stored.`;
  byId("upload-result", "div").replaceChildren(
    ...[told, ...notes].map((text) => notice(text, "info")),
    ...refused.map((text) => notice(text)),
  );
}
