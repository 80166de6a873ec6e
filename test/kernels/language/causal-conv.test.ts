import { beforeEach, expect, test } from "vitest";
import { same } from "../float";
import { alloc, brokenGuard, fillFloats, loadCommon, place, random, reset } from "../harness";

const { causalConv } = loadCommon();
beforeEach(reset);

const f = Math.fround;
const NONE = 0;

const SIZES = [0, 1, 3, 4, 17].flatMap((channels) => [1, 2, 3, 4].map((taps) => [channels, taps] as const));

test.each(
  SIZES,
)("%i channels, %i taps: in one run, in runs of some tokens, and split among threads", (channels, taps) => {
  const next = random(channels + taps);
  const tokens = 9;
  const x = fillFloats(alloc(Float32Array, tokens * channels), next, -2, 2);
  const w = fillFloats(alloc(Float32Array, channels * taps), next, -1, 1);
  const bias = fillFloats(alloc(Float32Array, channels), next, -1, 1);
  const before = fillFloats(new Float32Array((taps - 1) * channels), next, -2, 2);
  const all = [...before, ...x];
  for (const b of [NONE, bias.byteOffset]) {
    const want = Array.from(x, (_, i) => {
      const c = i % channels;
      let sum = 0;
      for (let j = 0; j < taps; j++) {
        const product = f(w[c * taps + j]! * all[i + j * channels]!);
        sum = j ? f(sum + product) : product;
      }
      return b ? f(sum + bias[c]!) : sum;
    });
    for (const runs of [[9], [1, 8], [2, 0, 1, 3, 3], [1, 1, 1, 1, 1, 1, 1, 1, 1]]) {
      const state = place(Float32Array, before);
      const y = alloc(Float32Array, x.length);
      let at = 0;
      for (const count of runs) {
        const cut = Math.floor(next() * (channels + 1));
        for (const [begin, end] of [
          [cut, channels],
          [0, cut],
        ] as const)
          causalConv(
            y.byteOffset + at * channels * 4,
            x.byteOffset + at * channels * 4,
            w.byteOffset,
            b,
            state.byteOffset,
            count,
            channels,
            taps,
            begin,
            end,
          );
        at += count;
      }
      same(y, want);
      same(state, all.slice(all.length - before.length));
      expect(brokenGuard()).toBeUndefined();
    }
  }
});
