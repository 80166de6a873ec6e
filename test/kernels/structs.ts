// Structs that kernels read, in their memory, by the functions the host writes them with.

import type { Epilogue } from "../../assembly/int8/sizes";
import { epilogueWords } from "../../src/ops/epilogue";
import { type Channels, slideOf, windowWords } from "../../src/ops/window";
import { place } from "./harness";

/** A window's struct, and where it lies. */
export function window(...args: Parameters<typeof slideOf>) {
  const slide = slideOf(...args);
  return { slide, at: place(Int32Array, windowWords(slide)).byteOffset };
}

/** Where the struct of an epilogue lies. */
export const epilogue = (fields: Partial<Epilogue>): number =>
  place(Float32Array, epilogueWords(fields)).byteOffset;

export type { Channels };
