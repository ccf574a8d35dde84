import { type MediaClient, toMediaClientError } from "../client/index.js";
import { byId, notice } from "./elements.js";
import { failureText } from "./failure-text.js";

type Api = MediaClient["api"];
export type Account = { name: string } | null;

const TOKEN = "token";

/** The pasted token of this tab, or nothing: then the session cookie counts. */
export const storedToken = (): string => sessionStorage.getItem(TOKEN) ?? "";

export type SignInEvents = {
  /** The account may have changed. */
  onChange(account: Account): void;
  /** Nobody knows who is signed in: the server does not answer. */
  onFailure(error: unknown): void;
};

/** Both ways to sign in, and out. */
export function signIn(api: Api, { onChange, onFailure }: SignInEvents) {
  const refresh = async (): Promise<Account> => {
    const account = await whoAmI(api);
    showAccount(account);
    onChange(account);
    return account;
  };
  const dialog = byId("sign-in-dialog", "dialog");
  const messages = byId("sign-in-notice", "div");
  const onSubmit = (form: HTMLFormElement, refusal: string, work: () => Promise<void>) =>
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void attempt(work, refresh, refusal).then((failure) => {
        messages.replaceChildren(notice(failure ?? ""));
        if (failure === null) dialog.close();
      });
    });
  onSubmit(byId("password-form", "form"), "Email or password is not right.", () => usePassword(api));
  onSubmit(byId("token-form", "form"), "The server does not know this token.", useToken);
  byId("open-sign-in", "button").addEventListener("click", () => {
    messages.replaceChildren();
    dialog.showModal();
  });
  byId("sign-out", "button").addEventListener("click", () => void signOut(api).then(refresh).catch(onFailure));
  return { start: () => void refresh().catch(onFailure) };
}

/** Null where it worked, otherwise what to tell. */
async function attempt(
  work: () => Promise<void>,
  refresh: () => Promise<Account>,
  refusal: string,
): Promise<string | null> {
  try {
    await work();
    return (await refresh()) === null ? refusal : null;
  } catch (error) {
    return toMediaClientError(error).code === "UNAUTHENTICATED" ? refusal : failureText(error);
  }
}

/** The session stays in the server's cookie; the token in the answer is not kept. */
async function usePassword(api: Api): Promise<void> {
  const email = byId("sign-in-email", "input");
  const password = byId("sign-in-password", "input");
  sessionStorage.removeItem(TOKEN);
  await api.auth.login.mutate({ email: email.value.trim(), password: password.value });
  password.value = "";
}

async function useToken(): Promise<void> {
  const token = byId("sign-in-token", "input");
  sessionStorage.setItem(TOKEN, token.value.trim());
  token.value = "";
}

/** Ends the session where there is one; a token of this tab is forgotten in any case. */
async function signOut(api: Api): Promise<void> {
  try {
    await api.auth.logout.mutate();
  } finally {
    sessionStorage.removeItem(TOKEN);
  }
}

/** A token that is no longer good is dropped: with it every call would fail, the public ones too. */
async function whoAmI(api: Api): Promise<Account> {
  try {
    const me = await api.auth.me.query();
    if (me.kind === "user") return { name: me.email ?? me.publicId };
    return { name: me.kind === "token" ? me.name : "Service" };
  } catch (error) {
    if (toMediaClientError(error).code !== "UNAUTHENTICATED") throw error;
    sessionStorage.removeItem(TOKEN);
    return null;
  }
}

function showAccount(account: Account): void {
  byId("account-name", "span").textContent = account?.name ?? "";
  byId("open-sign-in", "button").hidden = account !== null;
  byId("sign-out", "button").hidden = account === null;
}
