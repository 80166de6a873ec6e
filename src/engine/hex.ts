// How the build inlines wasm (scripts/esbuild.js): two hexadecimal digits a byte.

/** Newer engines have it. */
const native = (Uint8Array as { fromHex?: (hex: string) => Uint8Array }).fromHex;

const digit = (code: number) => (code < 58 ? code - 48 : code - 87);

/** Bytes of lower-case hexadecimal digits. */
// @__NO_SIDE_EFFECTS__
export function fromHex(hex: string): Uint8Array {
  if (native) return native(hex);
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = 16 * digit(hex.charCodeAt(2 * i)) + digit(hex.charCodeAt(2 * i + 1));
  return bytes;
}
