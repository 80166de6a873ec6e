// Structs that kernels read, in their memory, by the functions the host writes them with.

import type { Epilogue, Rescale } from "../../assembly/int8/sizes";
import type { Window } from "../../assembly/lanes/window";
import { epilogueWords } from "../../src/ops/epilogue";
import { rescaleWords } from "../../src/ops/pool";
import { slideOf, windowWords } from "../../src/ops/window";
import { place } from "./harness";

/** A window's struct, and where it lies. */
export function window(...args: Parameters<typeof slideOf>) {
  const slide = slideOf(...args);
  return { slide, at: place(Int32Array, windowWords(slide)).byteOffset };
}

/** Where the struct of an epilogue lies. */
export const epilogue = (fields: Partial<Epilogue>): number =>
  place(Float32Array, epilogueWords(fields)).byteOffset;

/** Where the numbers lie that codes of a mean become codes with. */
export const rescale = (fields: Rescale): number => place(Float32Array, rescaleWords(fields)).byteOffset;

/** Where a window's struct lies, some fields of which are others. */
export const windowAt = (slide: Window, others: Partial<Window> = {}): number =>
  place(Int32Array, windowWords({ ...slide, ...others })).byteOffset;
