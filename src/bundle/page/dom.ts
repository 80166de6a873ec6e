// Elements: made in one call, so that a control reads like the markup it stands for.

type Properties<K extends keyof HTMLElementTagNameMap> = {
  readonly [P in keyof HTMLElementTagNameMap[K]]?: HTMLElementTagNameMap[K][P] | undefined;
};

/** An element with these properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties<K> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A button that does something. */
export const button = (text: string, onclick: () => unknown, className = ""): HTMLButtonElement =>
  make("button", { type: "button", className, onclick: () => void onclick() }, text);

/** A label with its field below or beside it. */
export const labelled = (text: string, field: HTMLElement): HTMLLabelElement =>
  make("label", {}, make("span", {}, text), field);

/** A field to choose one of several texts, which stand for values. */
export function choose<T>(
  options: readonly (readonly [text: string, value: T])[],
  onchange: (value: T) => unknown,
): HTMLSelectElement {
  const select = make("select", {}, ...options.map(([text]) => make("option", {}, text)));
  select.onchange = () => void onchange(options[select.selectedIndex]![1]);
  return select;
}

/** A box to tick. */
export function tick(
  text: string,
  checked: boolean,
  onchange: (checked: boolean) => unknown,
): HTMLLabelElement {
  const box = make("input", { type: "checkbox", checked });
  box.onchange = () => void onchange(box.checked);
  return make("label", { className: "tick" }, box, text);
}

/** What errors say to people. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Hands a file to the browser. */
export function download(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
