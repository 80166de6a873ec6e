// In place of the kernels that the toolkit carries: a learner's worker is sent them by the script that starts it, so that no page
// downloads them twice.

import type { Carried } from "../engine/wasm";

export const carried: Carried = {};
export const laterNames: readonly string[] = [];
export const importLater = async (): Promise<Readonly<Record<string, Uint8Array>>> => ({});

/** Those of training. */
export let train: Uint8Array | undefined;

export const receiveTrain = (wasm: Uint8Array | undefined): void => {
  train = wasm;
};
