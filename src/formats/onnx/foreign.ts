// What a file that is no ONNX model probably is, by its first bytes: the way out in the importer's errors.

const signatures: readonly {
  readonly at: number;
  readonly magic: string;
  readonly what: string;
  readonly way?: string;
}[] = [
  { at: 0, magic: "PK\x03\x04", what: "a ZIP archive (.npz, .pt, .keras)" },
  { at: 4, magic: "TFL3", what: "a TensorFlow Lite model", way: "importTflite() of octette/tflite reads it" },
  { at: 1, magic: "HDF", what: "an HDF5 file (.h5)" },
  { at: 0, magic: "GGUF", what: "a GGUF model" },
  { at: 1, magic: "NUMPY", what: "a NumPy array" },
  { at: 0, magic: "\x1f\x8b", what: "packed with gzip" },
  { at: 0, magic: "version https://git-lfs", what: "a Git LFS pointer, not the file itself" },
  { at: 0, magic: "<", what: "a page or XML, perhaps an error of the server" },
];

/** A hint for the reader of an error about these bytes. */
export function hintOf(bytes: Uint8Array): string {
  const head = String.fromCharCode(...bytes.subarray(0, 32));
  const known = signatures.find(({ at, magic }) => head.startsWith(magic, at));
  if (known) return `The file begins as ${known.what} would; ${known.way ?? "export the model to ONNX"}`;
  return "Is it a whole ONNX model? Export, copy or download it again";
}
