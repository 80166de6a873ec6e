// Normalization of groups of channels, seen as layer normalization of rows: a group of a sample is a row. What scale and bias are one of
// is a run.

import { countOf } from "../../graph/symbols";
import { tensor } from "../../graph/tensor";
import { groupsOf } from "../../ops/normalize/group-normalization";
import { groupSizes } from "../../ops/normalize/normalization";
import { opError } from "../../ops/op";
import type { Rule } from "./rule";

const normalization =
  (groupsIn: Parameters<typeof groupSizes>[2]): Rule =>
  ({ node, inputs }, [dy], b) => {
    const [x, scale, bias] = inputs as [string, string, string];
    const { shape } = b.type(x);
    const { samples, groups, channels, runs, size } = groupSizes(node, shape, groupsIn);
    const [cols, scales] = [countOf([runs, size]), b.type(scale).shape[0] as number];
    if (typeof cols !== "number")
      throw opError(node, "its gradient needs fixed sizes", { got: `groups of ${cols} elements` });
    const [rows, perScale] = [
      [samples, groups, cols],
      [samples, scales, countOf([channels / scales, size])],
    ] as const;
    const as = (value: string, to: readonly (number | string)[]) =>
      b.write("Reshape", [value], { shape: to, allowzero: 1 })[0];
    const { num_groups: _, ...settings } = node.attributes;
    const attributes = { ...settings, axis: 2 };
    const ones = b.data(tensor("f32", [cols], new Float32Array(cols).fill(1)));
    const dys = as(dy!, perScale);
    if (b.wants(x)) {
      const scaled = b.write("Mul", [dys, as(scale, [scales, 1])])[0];
      const read = [as(scaled, rows), as(x, rows), ones];
      b.give(x, as(b.write("LayerNormalizationGradient", read, attributes, 3)[0], shape));
    }
    const sum = (value: string) => as(b.write("SumTo", [value], { shape: [scales, 1] })[0], [scales]);
    if (b.wants(scale)) {
      const normal = b.write("LayerNormalization", [as(x, rows), ones], attributes)[0];
      b.give(scale, sum(b.write("Mul", [dys, as(normal, perScale)])[0]));
    }
    if (b.wants(bias)) b.give(bias, sum(dys));
  };

export const groupNormalization = normalization(groupsOf);
export const instanceNormalization = normalization((_, channels) => channels);
