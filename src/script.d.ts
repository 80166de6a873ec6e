// A script as text, bundled and minified on its own.
declare module "*?script" {
  const text: string;
  export default text;
}

// What the build found for `octette bundle`.
declare module "*/build/kit.mjs" {
  export const kit: unknown;
  export const folder: URL;
}
