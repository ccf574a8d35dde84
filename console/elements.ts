type Props<Tag extends keyof HTMLElementTagNameMap> = Partial<HTMLElementTagNameMap[Tag]>;

/** An element with properties (not attributes: the page's policy allows no style attribute) and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props<Tag> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children);
  return made;
}

/** The element the page's markup promises. Throws where it is missing or of another kind. */
export function byId<Tag extends keyof HTMLElementTagNameMap>(id: string, tag: Tag): HTMLElementTagNameMap[Tag] {
  const found = document.getElementById(id);
  if (found?.localName !== tag) throw new Error(`The page has no <${tag} id="${id}">.`);
  return found as HTMLElementTagNameMap[Tag];
}

/** Message for people; `is-error` is red, the rest is quiet. Nothing where the text is empty. */
export function notice(text: string, kind: "error" | "info" = "error"): Node {
  return text === "" ? document.createTextNode("") : element("p", { className: `notice is-${kind}` }, text);
}
