// A script as text, bundled and minified on its own.
declare module "*?script" {
  const text: string;
  export default text;
}
