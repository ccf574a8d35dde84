import { createMediaClient, type MediaOut, toMediaClientError } from "../client/index.js";
import { card, skeletons } from "./card.js";
import { detailView } from "./detail.js";
import { byId, element, notice } from "./elements.js";
import { failureText } from "./failure-text.js";
import { formatName } from "./format.js";
import { type Place, placeForm, readPlace, rememberPlace, startingPlace } from "./place.js";
import { type Account, signIn, storedToken } from "./sign-in.js";
import { uploadForm } from "./upload-form.js";

const PAGE_SIZE = 24;

const client = createMediaClient({
  baseUrl: new URL("..", location.href.split(/[?#]/)[0]).href,
  token: storedToken,
  credentials: "same-origin",
});

const grid = byId("gallery", "ol");
const more = byId("gallery-more", "button");
const detail = detailView();

/** What the page shows. `loading` belongs to the newest request; answers to older ones are late and dropped. */
const state = {
  place: null as Place | null,
  account: null as Account,
  items: [] as MediaOut[],
  cursor: null as string | null,
  loading: new AbortController(),
};

const form = placeForm((place) => void showPlace(place));
const upload = uploadForm(client, () => void reload());
const session = signIn(client.api, {
  onChange: (account) => {
    state.account = account;
    upload.setPlace(account ? state.place : null);
    void reload();
  },
  onFailure: showFailure,
});

async function showPlace(place: Place): Promise<void> {
  state.place = place;
  form.show(place);
  rememberPlace(place);
  upload.setPlace(state.account ? place : null);
  await reload();
}

/** The first page anew. */
async function reload(): Promise<void> {
  if (!state.place) {
    showEmpty("Choose an entity above to see its pictures.");
    return;
  }
  const { attachment, id } = state.place;
  byId("gallery-title", "h1").textContent = `${formatName(attachment.field)} of ${id}`;
  state.items = [];
  state.cursor = null;
  grid.replaceChildren(...skeletons(8));
  await loadPage();
}

async function loadPage(): Promise<void> {
  if (!state.place) return;
  const { attachment, id } = state.place;
  state.loading.abort();
  state.loading = new AbortController();
  const { signal } = state.loading;
  showBusy(true);
  try {
    const cursor = state.cursor === null ? {} : { cursor: state.cursor };
    const input = { type: attachment.entityType, id, field: attachment.field, limit: PAGE_SIZE, ...cursor };
    const page = await client.api.media.list.query(input, { signal });
    if (signal.aborted) return;
    state.items.push(...page.items);
    state.cursor = page.nextCursor;
    showItems(page.total);
  } catch (error) {
    if (!signal.aborted) showFailure(error);
  }
  if (!signal.aborted) showBusy(false);
}

function showBusy(isBusy: boolean): void {
  grid.ariaBusy = String(isBusy);
  more.disabled = isBusy;
  more.textContent = isBusy ? "Loading …" : "More";
  if (isBusy) byId("gallery-notice", "div").replaceChildren();
}

function showItems(total: number): void {
  if (state.items.length === 0) {
    showEmpty("There are no pictures here yet.");
    return;
  }
  const shown = grid.querySelectorAll("li:not(.skeleton, .empty)").length;
  for (const old of grid.querySelectorAll(".skeleton, .empty")) old.remove();
  grid.append(...state.items.slice(shown).map((media, i) => card(media, () => open(shown + i))));
  byId("gallery-count", "p").textContent =
    state.items.length < total ? `${state.items.length} of ${total}` : `${total}`;
  more.hidden = state.cursor === null;
}

function showEmpty(text: string): void {
  grid.replaceChildren(element("li", { className: "empty" }, text));
  byId("gallery-count", "p").textContent = "";
  more.hidden = true;
}

/** Items that are there already stay. */
function showFailure(error: unknown): void {
  byId("gallery-notice", "div").replaceChildren(notice(failureText(error)));
  if (state.items.length > 0) return;
  showEmpty(
    toMediaClientError(error).code === "ENTITY_NOT_FOUND" ? "Nothing to show." : "The gallery could not be loaded.",
  );
}

function open(index: number): void {
  const media = state.items[index];
  if (!media) return;
  const step = (to: number) => (state.items[to] ? () => open(to) : null);
  detail.show(media, { previous: step(index - 1), next: step(index + 1) });
}

more.addEventListener("click", () => void loadPage());
window.addEventListener("popstate", () => {
  const place = readPlace(location.search);
  if (place) void showPlace(place);
});

state.place = startingPlace();
if (state.place) {
  form.show(state.place);
  rememberPlace(state.place);
}
session.start();
