// A script as text, bundled and minified on its own.
declare module "*?script" {
  const text: string;
  export default text;
}

// What the build found for `octette bundle`.
declare module "*/build/place.mjs" {
  /** Where the scripts of the package lie. */
  export const folder: URL;
}
