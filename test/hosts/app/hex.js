/** Bytes of an array as text. */
export const hexOf = ({ buffer, byteOffset, byteLength }) =>
  [...new Uint8Array(buffer, byteOffset, byteLength)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
