// Files of examples/, in Node and in a page.

/** Bytes of examples/digits/NAME. */
export async function readExample(name: string): Promise<Uint8Array> {
  if (typeof document !== "undefined" || typeof process === "undefined" || !process.versions?.node)
    return new Uint8Array(await (await fetch(`/examples/digits/${name}`)).arrayBuffer());
  const { readFile } = await import("node:fs/promises");
  return readFile(new URL(`../examples/digits/${name}`, import.meta.url));
}
