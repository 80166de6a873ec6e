// Layers over weights in groups, and rows of tables of codes, from numerics.md: one loop for each formula.

import type { CodeParameters, Node } from "../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { fail } from "./node";

const f = Math.fround;

/** Values of k whose products are one int32 sum. */
const segmentOf = (k: number) => (k <= 8288 ? Math.max(1, k) : 8192);

type Values = (name: string) => Tensor | undefined;

export const isGrouped = ({ op, codes }: Node): boolean =>
  op === "Gather" || codes!.inputs.some((parameters) => parameters?.groups);

/** What one weight stands for in its row: s · q − t, exact, of whole scales. */
function wholeWeights(w: Tensor, { groups }: CodeParameters, value: Values): Float64Array {
  const [s, t] = [value(groups!.scales)!.data, value(groups!.offsets ?? "")?.data];
  return Float64Array.from(w.data, (q, i) => {
    const g = Math.floor(i / groups!.size);
    // Whole numbers have no −0.
    return s[g]! * q - (t?.[g] ?? 0) + 0;
  });
}

/** Evaluates a Linear whose weights are in groups. */
export function runGroups(node: Node, value: Values): Tensor {
  const [xName = "", wName = "", bName = ""] = node.inputs;
  const [x, w, b] = [value(xName)!, value(wName)!, value(bName)];
  const [xp, wp] = node.codes!.inputs as [CodeParameters, CodeParameters];
  const { lo, hi } = node.codes!.bounds ?? { lo: -Infinity, hi: Infinity };
  const [n, k] = w.shape as [number, number];
  const rows = sizeOf(x.shape.slice(0, -1));
  const [scales, zeros] = [value(xp.scale)!.data, value(xp.zeroPoint)?.data ?? [0]];
  const rowOf = (list: ArrayLike<number>, r: number) => list[list.length === 1 ? 0 : r]!;
  const y = new Float32Array(rows * n);
  const isWhole = wp.scale !== "";
  const whole = isWhole ? wholeWeights(w, wp, value) : undefined;
  const { size, scales: d, offsets: m = "" } = wp.groups!;
  const [ds, ms] = [value(d)!.data, value(m)?.data];
  for (let r = 0; r < rows; r++) {
    const [sx, zx] = [rowOf(scales, r), rowOf(zeros, r)];
    const code = (i: number) => x.data[r * k + i]! - zx;
    for (let c = 0; c < n; c++) {
      let v = 0;
      if (whole) {
        for (let from = 0; from < k; from += segmentOf(k)) {
          let sum = 0;
          for (let i = from; i < Math.min(k, from + segmentOf(k)); i++) sum += whole[c * k + i]! * code(i);
          if (Math.abs(sum) >= 2 ** 31) fail(node, "a sum does not fit int32");
          v = f(v + f(sum));
        }
        v = f(v * f(sx * value(wp.scale)!.data[c]!));
      } else {
        for (let from = 0; from < k; from += size) {
          let [sum, ones] = [0, 0];
          for (let i = from; i < from + size; i++) {
            sum += w.data[c * k + i]! * code(i);
            ones += code(i);
          }
          const g = (c * k + from) / size;
          v = f(v + f(f(sum) * f(sx * ds[g]!)));
          if (ms) v = f(v - f(f(ones) * f(sx * ms[g]!)));
        }
      }
      v = f(v + (b?.data[b.data.length === 1 ? 0 : c] ?? 0));
      y[r * n + c] = Math.min(Math.max(v, lo), hi);
    }
  }
  return tensor("f32", [...x.shape.slice(0, -1), n], y);
}

/** Evaluates a Gather of rows of codes: what they stand for. */
export function gatherCodes(node: Node, value: Values): Tensor {
  const [table, indices] = node.inputs.map((name) => value(name)!) as [Tensor, Tensor];
  const parameters = node.codes!.inputs[0]!;
  const [n, k] = table.shape as [number, number];
  const scale = value(parameters.scale)?.data;
  const { groups } = parameters;
  const whole = groups && scale && wholeWeights(table, parameters, value);
  const row = (index: number) => Math.min(n - 1, Math.max(0, index < 0 ? index + n : index));
  const real = (r: number, i: number): number => {
    const q = table.data[r * k + i]!;
    if (whole) return f(f(whole[r * k + i]!) * scale[r]!);
    if (!groups) return f(q * scale![scale!.length === 1 ? 0 : r]!);
    const g = Math.floor((r * k + i) / groups.size);
    const v = f(q * value(groups.scales)!.data[g]!);
    return groups.offsets === undefined ? v : f(v - value(groups.offsets)!.data[g]!);
  };
  const data = Array.from(indices.data, (index) => Array.from({ length: k }, (_, i) => real(row(index), i)));
  return tensor("f32", [...indices.shape, k], data.flat());
}
