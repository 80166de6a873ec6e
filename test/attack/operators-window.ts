// Convolutions and pools.

import type { Builder } from "./builder";
import { ints, type Maker, some } from "./forms";

/** Attributes of a window over spatial dimensions, and the shape it makes there, undefined where that is left to ONNX. */
export function windowOf(
  b: Builder,
  dims: readonly number[],
  options: { readonly dilates: boolean; readonly ceils: boolean },
) {
  const kernel = dims.map((dim) => b.int(1, Math.max(1, Math.min(3, dim))));
  const strides = dims.map(() => b.pick([1, 1, 2, 3]));
  const dilations = dims.map(() => (options.dilates && b.chance(0.25) ? 2 : 1));
  const pads = [...dims, ...dims].map((_, i) =>
    b.int(0, Math.min(2, kernel[i % dims.length]! - (options.ceils ? 1 : 0))),
  );
  const attributes: Record<string, unknown> = {};
  if (strides.some((s) => s > 1) || b.chance(0.3)) attributes.strides = ints(strides);
  if (dilations.some((d) => d > 1) || (options.dilates && b.chance(0.2)))
    attributes.dilations = ints(dilations);
  const mode = b.chance(0.7) ? undefined : b.pick(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
  const padded = (mode === undefined || mode === "NOTSET") && b.chance(0.6);
  if (mode) attributes.auto_pad = mode;
  if (padded) attributes.pads = ints(pads);
  const ceil = options.ceils && b.chance(0.3) ? 1 : 0;
  if (ceil) attributes.ceil_mode = 1;
  const shape = dims.map((dim, i) => {
    const stride = strides[i]!;
    const extent = (kernel[i]! - 1) * dilations[i]! + 1;
    if (mode?.startsWith("SAME")) return Math.ceil(dim / stride);
    const total = dim + (padded ? pads[i]! + pads[i + dims.length]! : 0);
    return Math.floor((total - extent) / stride) + 1;
  });
  const sure = ceil === 0 && shape.every((dim) => dim > 0);
  return { kernel, attributes, shape: sure ? shape : undefined };
}

/** Whether no window fits: ONNX Runtime does not end then. */
export const isEmpty = (shape: readonly number[]) => shape.slice(1).includes(0);

const rankOf = (b: Builder) => b.pick([3, 4, 4, 4, 5]);

const conv: Maker = (b) => {
  const rank = rankOf(b);
  const x = b.data(["f32", "f32", "f32", "f64"], rank, rank);
  if (isEmpty(x.shape)) return false;
  const channels = x.shape[1]!;
  const group = b.pick([1, 1, channels || 1, channels % 2 === 0 && channels > 0 ? 2 : 1]);
  const filters = group * b.int(1, 3);
  const { kernel, attributes, shape } = windowOf(b, x.shape.slice(2), { dilates: true, ceils: false });
  const weights = b.elements(x.type, [filters, channels / group, ...kernel]);
  const w = b.chance(0.8) ? b.constant(weights) : b.input(weights, false);
  const bias = b.chance(0.5) ? b.parameter(x.type, [filters]) : undefined;
  if (b.chance(0.7)) attributes.kernel_shape = ints(kernel);
  if (group > 1 || b.chance(0.2)) attributes.group = group;
  b.node("Conv", [x, w, bias], attributes as never, [x.type, shape && [x.shape[0]!, filters, ...shape]]);
};

const pool =
  (op: string): Maker =>
  (b) => {
    const rank = rankOf(b);
    const isMax = op === "MaxPool";
    const x = b.data(
      isMax && b.opset >= 12 ? ["f32", "f32", "f64", "i8", "u8"] : ["f32", "f32", "f64"],
      rank,
      rank,
    );
    if (isEmpty(x.shape)) return false;
    const dilates = isMax ? b.opset >= 10 : b.opset >= 19;
    const window = windowOf(b, x.shape.slice(2), { dilates, ceils: b.opset >= 10 });
    const { kernel, attributes, shape } = window;
    attributes.kernel_shape = ints(kernel);
    if (!isMax && b.chance(0.4)) attributes.count_include_pad = b.int(0, 1);
    if (isMax && b.opset >= 8 && b.chance(0.2)) attributes.storage_order = b.int(0, 1);
    const more = isMax && b.opset >= 8 && b.chance(0.05) ? ([["i64", undefined]] as const) : [];
    b.node(op, [x], attributes as never, [x.type, shape && [...x.shape.slice(0, 2), ...shape]], ...more);
  };

const globalPool =
  (op: string): Maker =>
  (b) => {
    const x = b.data(["f32", "f32", "f64"], 3, 5);
    b.node(op, [x], some(b, {}), [x.type, x.shape.map((dim, i) => (i < 2 ? dim : 1))]);
  };

export const windows: Readonly<Record<string, Maker>> = {
  AveragePool: pool("AveragePool"),
  Conv: conv,
  GlobalAveragePool: globalPool("GlobalAveragePool"),
  GlobalMaxPool: globalPool("GlobalMaxPool"),
  MaxPool: pool("MaxPool"),
};
