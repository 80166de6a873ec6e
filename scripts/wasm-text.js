// Wasm as text, and text as wasm: with the features that kernels are written with.

import binaryen from "binaryen";

const { Features } = binaryen;
export const FEATURES =
  Features.SIMD128 |
  Features.RelaxedSIMD |
  Features.BulkMemory |
  Features.BulkMemoryOpt |
  Features.NontrappingFPToInt |
  Features.SignExt |
  Features.MutableGlobals;

/** Wasm as text. */
export function textOf(wasm) {
  const module = binaryen.readBinary(wasm);
  try {
    return module.emitText();
  } finally {
    module.dispose();
  }
}

/** Text as wasm. */
export function wasmOf(text) {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(FEATURES);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
