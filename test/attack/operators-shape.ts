// Operators that move elements, or tell shapes.

import type { Builder, Value } from "./builder";
import { count, type ElementType, elementTypes, numbers, rawTensor } from "./elements";
import { anyAxis, axesOf, every, float, ints, type Maker, some } from "./forms";

const anyData = (b: Builder, minRank = 0, maxRank = 5) =>
  b.data(b.chance(0.6) ? ["f32", "i8", "u8", "i32"] : every, minRank, maxRank);

const concat: Maker = (b) => {
  const x = anyData(b, 1);
  const axis = anyAxis(b, x.shape.length);
  const at = (axis + x.shape.length) % x.shape.length;
  const others = Array.from({ length: b.int(0, 2) }, () => {
    const shape = x.shape.map((dim, i) => (i === at ? b.int(1, 3) : dim));
    const elements = b.elements(x.type, shape);
    return b.operand(elements, 0.3);
  });
  const total = [x, ...others].reduce((n, { shape }) => n + shape[at]!, 0);
  b.node("Concat", [x, ...others], { axis }, [x.type, x.shape.map((dim, i) => (i === at ? total : dim))]);
};

const flatten: Maker = (b) => {
  const x = anyData(b);
  const rank = x.shape.length;
  const axis = b.int(b.opset >= 11 ? -rank : 0, rank);
  const attributes: Record<string, number> = some(b, { axis });
  const at = attributes.axis ?? 1;
  const cut = at < 0 ? at + rank : at;
  b.node("Flatten", [x], attributes, [x.type, [count(x.shape.slice(0, cut)), count(x.shape.slice(cut))]]);
};

const gather: Maker = (b) => {
  const x = anyData(b, 1);
  const rank = x.shape.length;
  const axis = anyAxis(b, rank);
  const attributes: Record<string, number> = some(b, { axis });
  const at = ((attributes.axis ?? 0) + rank) % rank;
  const dim = x.shape[at]!;
  const shape = b.pick([[], [1], [2], [3], [2, 2], [1, 3], [0]]);
  const picked = Array.from({ length: count(shape) }, () =>
    b.opset >= 11 ? b.int(-dim, dim - 1) : b.int(0, dim - 1),
  );
  const indices = b.parameter(
    b.pick(["i64", "i64", "i32"]),
    dim === 0 ? [0] : shape,
    dim === 0 ? [] : picked,
  );
  b.node("Gather", [x, indices], attributes, [
    x.type,
    [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)],
  ]);
};

const expand: Maker = (b) => {
  if (b.opset < 8) return false;
  const x = anyData(b, 0, 4);
  const target = x.shape.map((dim) => (dim === 1 ? b.int(1, 4) : b.chance(0.2) ? 1 : dim));
  const wanted = b.chance(0.3)
    ? [b.int(1, 3), ...target]
    : target.slice(b.chance(0.2) ? b.int(0, target.length) : 0);
  const full = Math.max(wanted.length, x.shape.length);
  const shape = Array.from({ length: full }, (_, i) => {
    const [p, q] = [x.shape.at(i - full) ?? 1, wanted.at(i - full) ?? 1];
    const own = i - full < -x.shape.length ? 1 : p;
    const other = i - full < -wanted.length ? 1 : q;
    return own === 1 ? other : own;
  });
  b.node("Expand", [x, b.parameter("i64", [wanted.length], wanted)], {}, [x.type, shape]);
};

const reshape: Maker = (b) => {
  const x = anyData(b);
  const size = count(x.shape);
  const factors = [1, 2, 3, 4, 5].filter((f) => size % f === 0);
  const first = b.pick(factors);
  const rest = size / first;
  const target = b.pick([
    [size],
    [first, rest],
    [1, first, rest],
    [rest, first],
    [...x.shape],
    [...x.shape, 1],
    [first, 1, rest],
  ]);
  const wanted = [...target];
  if (b.chance(0.6) && size > 0 && wanted.length > 0) wanted[b.int(0, wanted.length - 1)] = -1;
  const attributes: Record<string, number> = b.opset >= 14 && b.chance(0.2) ? { allowzero: b.int(0, 1) } : {};
  for (const [i, dim] of wanted.entries())
    if (dim === x.shape[i] && b.chance(0.3) && (attributes.allowzero !== 1 || dim === 0)) wanted[i] = 0;
  b.node("Reshape", [x, b.parameter("i64", [wanted.length], wanted)], attributes, [x.type, target]);
};

const resize: Maker = (b) => {
  if (b.opset < 10) return false;
  const x = b.data(["f32", "f32", "i8", "u8", "i32"], 3, 4);
  const rank = x.shape.length;
  const attributes: Record<string, unknown> = some(b, {
    mode: b.chance(0.9) ? "nearest" : b.pick(["linear", "cubic"]),
    ...(b.opset >= 11
      ? {
          coordinate_transformation_mode: b.pick(
            [
              "half_pixel",
              "asymmetric",
              "pytorch_half_pixel",
              "align_corners",
              "half_pixel_symmetric",
              "tf_half_pixel_for_nn",
            ].slice(0, b.opset >= 19 ? 5 : 4),
          ),
          nearest_mode: b.pick(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]),
          cubic_coeff_a: float(-0.75),
          extrapolation_value: float(0),
        }
      : {}),
    ...(b.opset >= 18
      ? {
          antialias: 0,
          keep_aspect_ratio_policy: b.pick(["stretch", "stretch", "not_larger", "not_smaller"]),
        }
      : {}),
  });
  const axes = b.opset >= 18 && b.chance(0.3) ? [rank - 2, b.chance(0.5) ? -1 : rank - 1] : undefined;
  if (axes) attributes.axes = ints(axes);
  const scaled = axes?.length ?? rank;
  const scales = Array.from({ length: scaled }, (_, i) =>
    i < scaled - 2 ? 1 : b.pick([1, 2, 0.5, 1.5, 3, 0.4]),
  );
  const dims = x.shape.slice(rank - scaled);
  if (b.opset === 10)
    return void b.node("Resize", [x, b.parameter("f32", [scaled], scales)], attributes as never, [
      x.type,
      undefined,
    ]);
  const roi = b.chance(0.2) ? b.parameter("f32", [0], []) : undefined;
  const roiGiven = roi ?? (b.opset < 13 ? b.parameter("f32", [0], []) : undefined);
  const sizes = dims.map((dim, i) => (i < scaled - 2 ? dim : b.int(1, 6)));
  if (b.chance(0.5)) {
    const shape =
      attributes.keep_aspect_ratio_policy === undefined || attributes.keep_aspect_ratio_policy === "stretch"
        ? [...x.shape.slice(0, rank - scaled), ...sizes]
        : undefined;
    const empty = b.opset < 13 ? b.constant({ type: "f32", shape: [0], values: [] }) : undefined;
    b.node("Resize", [x, roiGiven, empty, b.parameter("i64", [scaled], sizes)], attributes as never, [
      x.type,
      shape,
    ]);
  } else {
    const shape = [
      ...x.shape.slice(0, rank - scaled),
      ...dims.map((dim, i) => Math.floor(dim * Math.fround(scales[i]!))),
    ];
    b.node("Resize", [x, roiGiven, b.parameter("f32", [scaled], scales)], attributes as never, [
      x.type,
      shape,
    ]);
  }
};

const upsample: Maker = (b) => {
  if (b.opset > 9) return false;
  const x = b.data(["f32", "i32", "u8"], 4, 4);
  const scales = [1, 1, b.pick([1, 2, 3, 1.5]), b.pick([1, 2, 1.5])];
  const attributes: Record<string, unknown> = some(b, { mode: b.chance(0.9) ? "nearest" : "linear" });
  const shape = x.shape.map((dim, i) => Math.floor(dim * scales[i]!));
  if (b.opset < 9)
    b.node("Upsample", [x], { ...attributes, scales: { floats: scales } } as never, [x.type, shape]);
  else b.node("Upsample", [x, b.parameter("f32", [4], scales)], attributes as never, [x.type, shape]);
};

const shapeOp: Maker = (b) => {
  const x = anyData(b);
  const rank = x.shape.length;
  const attributes: Record<string, number> =
    b.opset >= 15 ? some(b, { start: b.int(-rank - 1, rank + 1), end: b.int(-rank - 1, rank + 1) }, 0.4) : {};
  const at = (value: number) => Math.min(rank, Math.max(0, value < 0 ? value + rank : value));
  const length = Math.max(0, at(attributes.end ?? rank) - at(attributes.start ?? 0));
  b.node("Shape", [x], attributes, ["i64", [length]]);
};

const slice: Maker = (b) => {
  const x = anyData(b, 1);
  const rank = x.shape.length;
  const hasSteps = b.opset >= 10;
  const axes = axesOf(b, rank, 1);
  const listed = b.chance(0.8);
  const used = listed ? axes : x.shape.map((_, i) => i).slice(0, b.int(1, rank));
  const shape: (number | undefined)[] = [...x.shape];
  const starts: number[] = [];
  const ends: number[] = [];
  const steps: number[] = [];
  const takesSteps = hasSteps && b.chance(0.5);
  for (const axis of used) {
    const at = (axis + rank) % rank;
    const dim = x.shape[at]!;
    const step = takesSteps ? b.pick([1, 2, -1, 3, -2]) : 1;
    const far = 2147483647;
    const start = b.pick(step > 0 ? [0, 0, 1, -1, -dim, -9, dim] : [-1, dim - 1, dim, far, dim - 2]);
    const end = b.pick(
      step > 0 ? [dim, -1, far, 1, 2, dim + 3, Number.MAX_SAFE_INTEGER] : [0, -far, -dim - 1, 1],
    );
    starts.push(start);
    ends.push(end);
    steps.push(step);
    const [lowest, highest] = step > 0 ? [0, dim] : [-1, dim - 1];
    const bound = (v: number) => Math.min(highest, Math.max(lowest, v < 0 ? v + dim : v));
    const from = step > 0 ? bound(start) : Math.min(dim - 1, Math.max(0, start < 0 ? start + dim : start));
    shape[at] = Math.max(0, Math.ceil((bound(end) - from) / step));
  }
  const result = shape.includes(undefined) ? undefined : (shape as number[]);
  if (b.opset < 10) {
    const attributes = { starts: ints(starts), ends: ints(ends), ...(listed ? { axes: ints(used) } : {}) };
    return void b.node("Slice", [x], attributes, [x.type, result]);
  }
  const type: ElementType = b.pick(["i64", "i64", "i32"]);
  const cap = (v: number) => (type === "i32" ? Math.max(-2147483647, Math.min(2147483647, v)) : v);
  const list = (values: readonly number[]) => b.parameter(type, [values.length], values.map(cap));
  const inputs: (Value | undefined)[] = [x, list(starts), list(ends)];
  if (listed || takesSteps) inputs.push(listed ? list(used) : undefined);
  if (takesSteps) inputs.push(list(steps));
  b.node("Slice", inputs, {}, [x.type, result]);
};

const split: Maker = (b) => {
  const x = anyData(b, 1);
  const rank = x.shape.length;
  const axis = anyAxis(b, rank);
  const attributes: Record<string, unknown> = some(b, { axis });
  const at = (((attributes.axis as number | undefined) ?? 0) + rank) % rank;
  const dim = x.shape[at]!;
  const parts = b.int(1, Math.max(1, Math.min(3, dim)));
  const even = dim % parts === 0 && b.chance(0.5);
  const chunk = Math.ceil(dim / parts);
  let sizes = Array.from({ length: parts }, (_, i) =>
    i < parts - 1 ? Math.floor(dim / parts) : dim - Math.floor(dim / parts) * (parts - 1),
  );
  const inputs: (Value | undefined)[] = [x];
  if (b.opset >= 18 && b.chance(0.5)) {
    attributes.num_outputs = parts;
    sizes = Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(chunk, dim - i * chunk)));
  } else if (!even) {
    if (b.opset < 13) attributes.split = ints(sizes);
    else inputs.push(b.parameter("i64", [parts], sizes));
  }
  const outputs = sizes.map((size) => [x.type, x.shape.map((d, i) => (i === at ? size : d))] as const);
  b.node("Split", inputs, attributes as never, ...outputs);
};

const squeeze: Maker = (b) => {
  const x = anyData(b, 1);
  const rank = x.shape.length;
  const ones = x.shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  const axes = b.chance(0.7) ? ones.filter(() => b.chance(0.7)) : undefined;
  const gone = axes ?? ones;
  const given = axes?.map((axis) => (b.chance(0.3) ? axis - rank : axis));
  const shape = x.shape.filter((_, i) => !gone.includes(i));
  if (b.opset < 13)
    b.node("Squeeze", [x], given && given.length > 0 ? { axes: ints(given) } : {}, [
      x.type,
      given?.length === 0 ? x.shape.filter((d) => d !== 1) : shape,
    ]);
  else b.node("Squeeze", [x, given && b.parameter("i64", [given.length], given)], {}, [x.type, shape]);
};

const unsqueeze: Maker = (b) => {
  const x = anyData(b, 0, 4);
  const rank = x.shape.length;
  const added = b.int(1, 2);
  const axes = Array.from({ length: rank + added }, (_, i) => i);
  while (axes.length > added) axes.splice(b.int(0, axes.length - 1), 1);
  if (b.chance(0.3)) axes.reverse();
  const shape = [...x.shape];
  for (const axis of axes.toSorted((p, q) => p - q)) shape.splice(axis, 0, 1);
  const given = axes.map((axis) => (b.chance(0.3) && b.opset >= 11 ? axis - rank - added : axis));
  if (b.opset < 13) b.node("Unsqueeze", [x], { axes: ints(given) }, [x.type, shape]);
  else b.node("Unsqueeze", [x, b.parameter("i64", [given.length], given)], {}, [x.type, shape]);
};

const transpose: Maker = (b) => {
  const x = anyData(b);
  const left = x.shape.map((_, i) => i);
  const perm: number[] = [];
  while (left.length > 0) perm.push(...left.splice(b.int(0, left.length - 1), 1));
  const isGiven = b.chance(0.8) && perm.length > 0;
  const order = isGiven ? perm : x.shape.map((_, i) => i).reverse();
  b.node("Transpose", [x], isGiven ? { perm: ints(perm) } : {}, [x.type, order.map((i) => x.shape[i]!)]);
};

const pad: Maker = (b) => {
  const types: readonly ElementType[] =
    b.opset >= 11 ? ["f32", "f32", "i8", "u8", "i32", "i64", "f64", "bool", "f16"] : ["f32", "f32", "f64"];
  const x = b.data(types, 1, 4);
  const rank = x.shape.length;
  const mode = b.chance(0.6) ? "constant" : b.pick(["reflect", "edge", ...(b.opset >= 19 ? ["wrap"] : [])]);
  const least = Math.min(...x.shape);
  const amount = () =>
    mode === "constant" ? b.pick([0, 0, 1, 2, -1]) : b.int(0, Math.max(0, Math.min(2, least - 1)));
  const axes = b.opset >= 18 && b.chance(0.4) ? axesOf(b, rank, 1) : undefined;
  const padded = axes?.length ?? rank;
  const pads = Array.from({ length: 2 * padded }, amount);
  const shape = [...x.shape];
  for (let i = 0; i < padded; i++) {
    const at = axes ? (axes[i]! + rank) % rank : i;
    shape[at]! += pads[i]! + pads[i + padded]!;
  }
  const result = shape.every((dim) => dim >= 0) ? shape : undefined;
  const attributes: Record<string, unknown> = mode !== "constant" || b.chance(0.3) ? { mode } : {};
  const value = b.pick([0, 7, 1.5, 3]);
  if (b.opset < 11) {
    if (b.chance(0.5)) attributes.value = float(value);
    return void b.node("Pad", [x], { ...attributes, pads: ints(pads) } as never, [x.type, result]);
  }
  const fill = /f/.test(x.type) ? value : Math.trunc(value);
  const inputs: (Value | undefined)[] = [x, b.parameter("i64", [2 * padded], pads)];
  inputs.push(
    b.chance(0.5) ? b.parameter(x.type, b.chance(0.9) ? [] : [1], [x.type === "bool" ? 1 : fill]) : undefined,
  );
  if (axes) inputs.push(b.parameter(b.pick(["i64", "i64", "i32"]), [padded], axes));
  b.node("Pad", inputs, attributes as never, [x.type, result]);
};

const cast: Maker = (b) => {
  const x = b.data(every);
  const to = b.pick([...every, "f32", "i32", "u8", "i8", "bf16"] as const);
  b.node("Cast", [x], { to: elementTypes[to] }, [to, x.shape]);
};

const constantOfShape: Maker = (b) => {
  if (b.opset < 9) return false;
  const shape = b.chance(0.1) ? [0] : b.shape(0, 4);
  const type = b.pick(["f32", "f32", "i32", "i64", "u8", "i8", "bool", "f16"] as const);
  const value = rawTensor({ type, shape: [1], values: numbers(b.random, type, 1, b.wild) });
  const isGiven = b.chance(0.7);
  const wanted = b.parameter("i64", [shape.length], shape);
  b.node("ConstantOfShape", [wanted], isGiven ? { value } : {}, [isGiven ? type : "f32", shape]);
};

const range: Maker = (b) => {
  if (b.opset < 11) return false;
  const type = b.pick(["i64", "i64", "i32", "f32", "f32", "f64"] as const);
  const isFloat = /f/.test(type);
  const step = b.pick(isFloat ? [1, 0.5, -1, 0.3, 2] : [1, 2, -1, 3]);
  const start = b.int(-3, 3);
  const limit = start + step * b.pick([0, 1, 2, 3.5, 5, -1]);
  const [s, l, d] = [start, isFloat ? limit : Math.trunc(limit), step].map((v) => b.parameter(type, [], [v]));
  b.node("Range", [s, l, d], {}, [type, undefined]);
};

const size: Maker = (b) => {
  const x = anyData(b);
  b.node("Size", [x], {}, ["i64", []]);
};

export const shaped: Readonly<Record<string, Maker>> = {
  Cast: cast,
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Pad: pad,
  Range: range,
  Reshape: reshape,
  Resize: resize,
  Shape: shapeOp,
  Size: size,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Upsample: upsample,
};
