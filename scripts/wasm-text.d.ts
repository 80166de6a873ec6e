/** Wasm as text. */
export function textOf(wasm: Uint8Array): string;
/** Text as wasm. */
export function wasmOf(text: string): Uint8Array;
