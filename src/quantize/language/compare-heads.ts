// The last block of a float model and of others over the same text, chunk by chunk: their logits meet here and are kept nowhere.

import { type Agreement, AgreementSums } from "./agreement";
import { type BlockRunner, CHUNK, type Hidden } from "./forward";

/** A model before its logits. */
export interface Headed {
  readonly runner: BlockRunner;
  readonly hidden: Hidden | undefined;
}

const logitsOf = ({ runner, hidden }: Headed, ids: Int32Array, window: number, position: number) =>
  Object.values(runner.chunk(ids, hidden?.[window], position))[0]!;

/** How far each of `others` is from the float model. Every token of a window but its first counts. */
export async function compareHeads(
  windows: readonly Int32Array[],
  float: Headed,
  others: readonly Headed[],
  pause: () => Promise<void>,
  sums?: AgreementSums,
): Promise<Agreement[]> {
  let all = sums;
  for (const [w, ids] of windows.entries()) {
    for (let at = 0; at < ids.length; at += CHUNK) {
      const own = logitsOf(float, ids, w, at);
      const made = others.map((other) => logitsOf(other, ids, w, at));
      all ??= new AgreementSums(own.length / Math.min(CHUNK, ids.length - at), others.length);
      all.add(own, made, ids.subarray(at + 1, at + 1 + CHUNK));
    }
    await pause();
  }
  return all!.done();
}
