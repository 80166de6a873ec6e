// Operators over codes, and float operators between DequantizeLinear and QuantizeLinear.

import type { Builder, Value } from "./builder";
import { type Elements, type ElementType, elementTypes, ranges } from "./elements";
import { anyAxis, ints, type Maker, some } from "./forms";
import { isEmpty, windowOf } from "./operators-window";

const codes: readonly ElementType[] = ["u8", "i8"];

/** Scales a little apart, none of them zero. */
const scales = (b: Builder, length: number) =>
  Array.from({ length }, () => Math.fround(b.pick([0.1, 0.05, 0.02, 0.5, 1, 0.25]) * (b.int(8, 12) / 10)));
const zeroPoints = (b: Builder, type: ElementType, length: number) => {
  const [low, high] = ranges[type]!.map(Number) as [number, number];
  return Array.from({ length }, () =>
    b.chance(0.4) ? 0 : b.chance(0.2) ? b.pick([low, high]) : b.int(low, high),
  );
};

/** Codes of a type over its whole range. */
const codesOf = (b: Builder, type: ElementType, shape: readonly number[]): Elements => {
  const [low, high] = ranges[type]!.map(Number) as [number, number];
  const plain = b.elements(type, shape);
  return { ...plain, values: plain.values.map(() => b.int(low, high)) };
};

/** Which codes an opset quantizes to. */
const codeTypes = (b: Builder): readonly ElementType[] =>
  b.opset >= 21 ? [...codes, ...codes, "i16", "u16", "i4", "u4"] : codes;

/** Scale and zero point: one in all, one an index of the axis, or one a block. */
function quantization(b: Builder, shape: readonly number[], type: ElementType, real: ElementType = "f32") {
  const rank = shape.length;
  const kind =
    rank > 0 && b.opset >= 13 ? b.pick(["all", "all", "axis", b.opset >= 21 ? "block" : "axis"]) : "all";
  const attributes: Record<string, unknown> = {};
  const axis = rank > 0 ? anyAxis(b, rank) : 0;
  const at = rank > 0 ? (axis + rank) % rank : 0;
  let scaleShape: readonly number[] = b.chance(0.1) && b.opset < 21 ? [1] : [];
  if (kind !== "all") {
    if (kind === "axis" && at === 1 && b.chance(0.5)) scaleShape = [shape[1]!];
    else {
      attributes.axis = axis;
      scaleShape = [shape[at]!];
    }
  } else if (b.chance(0.1) && b.opset >= 13) attributes.axis = axis;
  if (kind === "block") {
    const size = b.int(1, 3);
    attributes.axis = axis;
    attributes.block_size = size;
    scaleShape = shape.map((dim, i) => (i === at ? Math.ceil(dim / size) : dim));
  }
  const length = scaleShape.reduce((n, dim) => n * dim, 1);
  const scale = b.fixed(real, scaleShape, scales(b, length));
  const zero = b.chance(0.8) ? b.fixed(type, scaleShape, zeroPoints(b, type, length)) : undefined;
  return { scale, zero, attributes };
}

const quantizeLinear: Maker = (b) => {
  if (b.opset < 10) return false;
  const x = b.data(b.opset >= 19 ? ["f32", "f32", "f32", "i32", "f16"] : ["f32", "f32", "f32", "i32"]);
  const asked = b.pick(codeTypes(b));
  const { scale, zero, attributes } = quantization(b, x.shape, asked, x.type === "f16" ? "f16" : "f32");
  let type = zero ? asked : "u8";
  if (b.opset >= 21 && b.chance(zero ? 0.2 : 0.5)) {
    attributes.output_dtype = elementTypes[asked];
    type = asked;
  }
  b.node("QuantizeLinear", [x, scale, zero], attributes as never, [type, x.shape]);
};

const dequantizeLinear: Maker = (b) => {
  if (b.opset < 10) return false;
  const type = b.pick([...codeTypes(b), "i32" as const]);
  const current = b.current && b.current.type === type && b.chance(0.7) ? b.current : undefined;
  const isNibble = type === "i4" || type === "u4";
  const shape = current?.shape ?? b.shape();
  const elements = type === "i32" ? b.elements(type, shape) : codesOf(b, type, shape);
  const x = current ?? (isNibble || b.chance(0.3) ? b.constant(elements) : b.input(elements));
  const { scale, zero, attributes } = quantization(b, x.shape, type);
  b.node("DequantizeLinear", [x, scale, type === "i32" ? undefined : zero], attributes as never, [
    "f32",
    x.shape,
  ]);
};

const dynamicQuantizeLinear: Maker = (b) => {
  if (b.opset < 11) return false;
  const x = b.data(["f32"]);
  b.node("DynamicQuantizeLinear", [x], {}, ["u8", x.shape], ["f32", []], ["u8", []]);
};

const codeInput = (b: Builder, type: ElementType, shape: readonly number[]) => {
  const { current } = b;
  return current?.type === type && `${current.shape}` === `${shape}`
    ? current
    : b.input(codesOf(b, type, shape));
};

const currentShape = (b: Builder, rank: number): readonly number[] =>
  b.current && codes.includes(b.current.type) && b.current.shape.length === rank
    ? b.current.shape
    : b.shape(rank, rank);

const scaleOf = (b: Builder, length = 1, asVector = false) =>
  b.fixed("f32", length > 1 || asVector ? [length] : [], scales(b, length));
const zeroOf = (b: Builder, type: ElementType, length = 1, asVector = false, always?: number) =>
  b.fixed(
    type,
    length > 1 || asVector ? [length] : [],
    always === undefined ? zeroPoints(b, type, length) : Array(length).fill(always),
  );

const qLinearConv: Maker = (b) => {
  if (b.opset < 10) return false;
  const type = b.pick(codes);
  const shape = currentShape(b, 4);
  if (isEmpty(shape)) return false;
  const x = codeInput(b, type, shape);
  const channels = shape[1]!;
  const group = b.pick([1, 1, channels || 1]);
  const filters = group * b.int(1, 3);
  const { kernel, attributes, shape: out } = windowOf(b, shape.slice(2), { dilates: true, ceils: false });
  const wType = type === "i8" ? "i8" : b.pick(codes);
  const wElements = codesOf(b, wType, [filters, channels / group, ...kernel]);
  const w = b.constant(wElements);
  const perChannel = b.chance(0.5);
  const ws = scaleOf(b, perChannel ? filters : 1, perChannel);
  const wz = zeroOf(
    b,
    wType,
    perChannel ? filters : 1,
    perChannel,
    b.chance(0.6) || perChannel ? (wType === "u8" ? 128 : 0) : undefined,
  );
  const bias = b.chance(0.5)
    ? b.constant({
        type: "i32",
        shape: [filters],
        values: Array.from({ length: filters }, () => b.int(-500, 500)),
      })
    : undefined;
  if (b.chance(0.7)) attributes.kernel_shape = ints(kernel);
  if (group > 1) attributes.group = group;
  b.node(
    "QLinearConv",
    [x, scaleOf(b), zeroOf(b, type), w, ws, wz, scaleOf(b), zeroOf(b, type), bias],
    attributes as never,
    [type, out && [shape[0]!, filters, ...out]],
  );
};

const qLinearMatMul: Maker = (b) => {
  if (b.opset < 10) return false;
  const type = b.pick(codes);
  const shape = currentShape(b, b.pick([2, 2, 3]));
  const x = codeInput(b, type, shape);
  const wType = b.pick(codes);
  const [inner, columns] = [shape.at(-1)!, b.int(1, 5)];
  const elements = codesOf(b, wType, [inner, columns]);
  const w = b.chance(0.8) ? b.constant(elements) : b.input(elements, false);
  const perColumn = b.chance(0.3);
  const n = perColumn ? columns : 1;
  b.node(
    "QLinearMatMul",
    [
      x,
      scaleOf(b),
      zeroOf(b, type),
      w,
      scaleOf(b, n, perColumn),
      zeroOf(b, wType, n, perColumn),
      scaleOf(b),
      zeroOf(b, type),
    ],
    {},
    [type, [...shape.slice(0, -1), columns]],
  );
};

const matMulInteger: Maker = (b) => {
  if (b.opset < 10) return false;
  const type = b.pick(codes);
  const wType = b.pick(codes);
  const shape = currentShape(b, b.pick([2, 2, 3]));
  const x = codeInput(b, type, shape);
  const [inner, columns] = [shape.at(-1)!, b.int(1, 5)];
  const elements = codesOf(b, wType, [inner, columns]);
  const w = b.chance(0.8) ? b.constant(elements) : b.input(elements, false);
  const xz = b.chance(0.6) ? zeroOf(b, type) : undefined;
  const perColumn = b.chance(0.3);
  const wz = b.chance(0.5) ? zeroOf(b, wType, perColumn ? columns : 1, perColumn) : undefined;
  b.node("MatMulInteger", [x, w, xz, wz], {}, ["i32", [...shape.slice(0, -1), columns]]);
};

const convInteger: Maker = (b) => {
  if (b.opset < 10) return false;
  const type = b.pick(codes);
  const shape = currentShape(b, 4);
  if (isEmpty(shape)) return false;
  const x = codeInput(b, type, shape);
  const channels = shape[1]!;
  const filters = b.int(1, 3);
  const { kernel, attributes, shape: out } = windowOf(b, shape.slice(2), { dilates: true, ceils: false });
  const wType = b.pick(codes);
  const w = b.constant(codesOf(b, wType, [filters, channels, ...kernel]));
  const xz = b.chance(0.6) ? zeroOf(b, type) : undefined;
  const wz = b.chance(0.5) ? zeroOf(b, wType) : undefined;
  if (b.chance(0.7)) attributes.kernel_shape = ints(kernel);
  b.node("ConvInteger", [x, w, xz, wz], attributes as never, ["i32", out && [shape[0]!, filters, ...out]]);
};

/** A float operator whose inputs and outputs are codes: DequantizeLinear, the operator, QuantizeLinear. */
const region: Maker = (b) => {
  if (b.opset < 13) return false;
  const type = b.pick(codes);
  const op = b.pick([
    "Conv",
    "MatMul",
    "Gemm",
    "Add",
    "AveragePool",
    "MaxPool",
    "Relu",
    "Sigmoid",
    "GlobalAveragePool",
    "Concat",
    "Mul",
    "Clip",
  ]);
  const rank = /Conv|Pool/.test(op) ? 4 : op === "Gemm" ? 2 : b.int(2, 3);
  const shape = currentShape(b, rank);
  if (rank === 4 && isEmpty(shape)) return false;
  const dequantized = (elements: Value, length = 1, axis = 0, zero?: number): Value => {
    const attributes = length > 1 ? { axis } : {};
    b.node(
      "DequantizeLinear",
      [elements, scaleOf(b, length), zeroOf(b, elements.type, length, false, zero)],
      attributes,
      ["f32", elements.shape],
    );
    return b.current!;
  };
  const x = dequantized(codeInput(b, type, shape));
  const weights = (weightShape: readonly number[], channels: number, axis: number) =>
    dequantized(
      b.constant(codesOf(b, "i8", weightShape)),
      b.chance(0.5) ? channels : 1,
      axis,
      b.chance(0.8) ? 0 : undefined,
    );
  const result = ((): readonly number[] | undefined => {
    if (op === "Conv") {
      const filters = b.int(1, 4);
      const { kernel, attributes, shape: out } = windowOf(b, shape.slice(2), { dilates: true, ceils: false });
      const w = weights([filters, shape[1]!, ...kernel], filters, 0);
      const made = out && [shape[0]!, filters, ...out];
      b.node(
        "Conv",
        [x, w, b.chance(0.5) ? b.constant(b.elements("f32", [filters])) : undefined],
        attributes as never,
        ["f32", made],
      );
      return made;
    }
    if (op === "MatMul" || op === "Gemm") {
      const columns = b.int(1, 5);
      const w = weights([shape.at(-1)!, columns], columns, 1);
      const c = op === "Gemm" ? b.constant(b.elements("f32", [columns])) : undefined;
      const made = [...shape.slice(0, -1), columns];
      b.node(op, [x, w, c], {}, ["f32", made]);
      return made;
    }
    if (op === "AveragePool" || op === "MaxPool") {
      const { kernel, attributes, shape: out } = windowOf(b, shape.slice(2), { dilates: false, ceils: true });
      const made = out && [shape[0]!, shape[1]!, ...out];
      b.node(op, [x], { ...attributes, kernel_shape: ints(kernel) } as never, ["f32", made]);
      return made;
    }
    if (op === "GlobalAveragePool") {
      const made = [shape[0]!, shape[1]!, 1, 1];
      b.node(op, [x], {}, ["f32", made]);
      return made;
    }
    if (op === "Relu" || op === "Sigmoid") {
      b.node(op, [x], {}, ["f32", shape]);
      return shape;
    }
    if (op === "Clip") {
      b.node(
        op,
        [
          x,
          b.constant({ type: "f32", shape: [], values: [0] }),
          b.constant({ type: "f32", shape: [], values: [6] }),
        ],
        {},
        ["f32", shape],
      );
      return shape;
    }
    const y = dequantized(b.input(codesOf(b, type, shape)));
    b.node(op, [x, y], op === "Concat" ? { axis: 1 } : {}, [
      "f32",
      op === "Concat" ? shape.map((dim, i) => (i === 1 ? 2 * dim : dim)) : shape,
    ]);
    return b.current?.shape;
  })();
  if (!result) return;
  if (b.chance(0.3) && b.current) b.node("Relu", [b.current], {}, ["f32", result]);
  b.node("QuantizeLinear", [b.current, scaleOf(b), zeroOf(b, type)], some(b, {}), [type, result]);
};

export const quantized: Readonly<Record<string, Maker>> = {
  ConvInteger: convInteger,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  MatMulInteger: matMulInteger,
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QuantizeLinear: quantizeLinear,
  QDQ: region,
};
