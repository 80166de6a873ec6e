// The last block of a float model and of others over the same text, band by band of the vocabulary and chunk by chunk: their logits meet
// here and are kept nowhere.

import type { AgreementSums } from "./agreement";
import { type BlockRunner, CHUNK, type Hidden } from "./forward";
import type { Band } from "./vocabulary";

/** A model before its logits. */
export interface Headed {
  /** Its last block, which gives the logits of a band. */
  readonly load: (band: Band) => Promise<BlockRunner>;
  readonly hidden: Hidden | undefined;
}

/** Adds to `sums` how far each of `others` is from the float model. Every token of a window but its first counts. */
export async function compareHeads(
  bands: readonly Band[],
  windows: readonly Int32Array[],
  float: Headed,
  others: readonly Headed[],
  pause: () => Promise<void>,
  sums: AgreementSums,
): Promise<void> {
  sums.open(windows.reduce((count, { length }) => count + Math.max(0, length - 1), 0));
  for (const band of bands) {
    const loaded: { readonly runner: BlockRunner; readonly hidden: Hidden | undefined }[] = [];
    for (const { load, hidden } of [float, ...others]) loaded.push({ runner: await load(band), hidden });
    const ids = { from: band.begin, width: band.end - band.begin };
    let token = 0;
    for (const [w, window] of windows.entries()) {
      for (let at = 0; at < window.length; at += CHUNK) {
        const [own, ...made] = loaded.map(
          ({ runner, hidden }) => Object.values(runner.chunk(window, hidden?.[w], at))[0]!,
        );
        const next = window.subarray(at + 1, at + 1 + CHUNK);
        sums.add(token, ids, own!, made, next);
        token += next.length;
      }
      await pause();
    }
    for (const { runner } of loaded) runner.dispose();
  }
  sums.close();
}
