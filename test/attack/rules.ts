// Where ONNX Runtime itself leaves ONNX's text, or the text leaves a choice. Each rule has a name, the reason, and a scalar formula
// written from the text: a difference is explained only where octette's elements are the formula's.

import type { Tensor } from "../../src/index";
import type { FileNode } from "../formats/onnx/model-file";
import { count, type Elements, type ElementType, elementTypes, isFloat, ranges } from "./elements";
import {
  argMax,
  curves,
  type Dense,
  gemm,
  greatest,
  indicesOf,
  offsetOf,
  pool,
  slice,
  type Window,
} from "./formulas";

export interface Reads {
  readonly node: FileNode;
  readonly inputs: readonly (Elements | undefined)[];
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  readonly opset: number;
}

export interface Facts extends Reads {
  readonly got: Tensor;
  readonly want: Elements;
}

export interface Rule {
  readonly name: string;
  readonly ops?: readonly string[];
  /** What ONNX's text gives, or undefined where the rule says nothing. */
  readonly expected: (facts: Facts) => Elements | undefined;
  /** Whether the text leaves some of the results open, and with them all that is computed of them. */
  readonly isOpen?: (reads: Reads) => boolean;
}

const numbersOf = (elements: Elements | undefined): number[] => elements?.values.map(Number) ?? [];
const dense = (elements: Elements): Dense => ({ shape: elements.shape, values: numbersOf(elements) });
const list = (value: unknown, otherwise: readonly number[]) =>
  Array.isArray(value) ? (value as number[]) : otherwise;

/** ONNX's values, except those for which the text leaves them open: there octette's own. */
const openWhere = ({ got, want }: Facts, isOpen: (i: number) => boolean): Elements | undefined =>
  `${got.shape}` === `${want.shape}`
    ? { ...want, values: want.values.map((v, i) => (isOpen(i) ? got.data[i]! : v)) }
    : undefined;

function windowOf({ attributes, inputs }: Facts): Window | undefined {
  const dims = inputs[0]?.shape.slice(2);
  const kernel = attributes.kernel_shape;
  if (!dims || !Array.isArray(kernel)) return undefined;
  const ones = dims.map(() => 1);
  return {
    kernel,
    strides: list(attributes.strides, ones),
    dilations: list(attributes.dilations, ones),
    pads: list(
      attributes.pads,
      [...dims, ...dims].map(() => 0),
    ),
    autoPad: `${attributes.auto_pad ?? "NOTSET"}`,
    ceil: attributes.ceil_mode === 1,
  };
}

/** Whether a float has no integer of the type that a node makes of it. */
function outOfRange({ node, inputs: [x], attributes }: Reads): ((v: number) => boolean) | undefined {
  if (!x || !isFloat(x.type)) return undefined;
  if (node.op === "QuantizeLinear") return Number.isNaN;
  const to = (Object.keys(elementTypes) as ElementType[]).find(
    (name) => elementTypes[name] === attributes.to,
  );
  const range = to && ranges[to];
  return range && ((v) => !(v > Number(range[0]) - 1 && v < Number(range[1]) + 1));
}

export const rules: readonly Rule[] = [
  {
    // Octette has no f16: it computes in f32, whose range is wider.
    name: "f16 overflows in ONNX Runtime, not in octette's f32",
    expected: (facts) => {
      const { inputs, want, got } = facts;
      if (![want, ...inputs].some((value) => value?.type === "f16")) return undefined;
      return openWhere(
        facts,
        (i) => !Number.isFinite(Number(want.values[i])) && Math.abs(got.data[i]!) >= 65504,
      );
    },
  },
  {
    // "Reduction over an empty set of values yields undefined"; of what is kept the shape is the text's.
    name: "a reduction of an empty tensor",
    ops: ["ReduceMean", "ReduceProd", "ArgMax"],
    expected: ({ node, inputs: [x, fed], attributes, got, want, opset }) => {
      if (!x || count(x.shape) > 0) return undefined;
      const rank = x.shape.length;
      const given = fed ? numbersOf(fed) : list(attributes.axes, []);
      let axes = node.op === "ArgMax" ? [Number(attributes.axis ?? 0)] : given;
      if (axes.length === 0 && (opset < 18 || attributes.noop_with_empty_axes !== 1))
        axes = x.shape.map((_, i) => i);
      const at = axes.map((axis) => (axis < 0 ? axis + rank : axis));
      const keeps = attributes.keepdims !== 0;
      const shape = x.shape.flatMap((dim, i) => (at.includes(i) ? (keeps ? [1] : []) : [dim]));
      return { type: want.type, shape, values: Array.from(got.data).slice(0, count(shape)) };
    },
  },
  {
    // An input of axes that lists none names no axis; ONNX Runtime takes it as left out.
    name: "Squeeze by an empty list of axes",
    ops: ["Squeeze"],
    expected: ({ inputs: [x, axes] }) => (x && axes?.values.length === 0 ? x : undefined),
  },
  {
    // A policy scales all axes that are named; ONNX Runtime leaves those alone that are counted from the end.
    name: "Resize by a policy over negative axes",
    ops: ["Resize"],
    expected: () => undefined,
    isOpen: ({ attributes }) =>
      /^not_/.test(String(attributes.keep_aspect_ratio_policy)) &&
      list(attributes.axes, []).some((axis) => axis < 0),
  },
  {
    // Clip is Min(max, Max(x, min)) in ONNX's function body; bounds that are NaN leave it open.
    name: "Clip by NaN",
    ops: ["Clip"],
    expected: () => undefined,
    isOpen: ({ inputs }) => inputs.slice(1).some((bound) => numbersOf(bound).some(Number.isNaN)),
  },
  {
    // Its scale is (max − min) / 255: of infinite or NaN elements there is none that means anything.
    name: "DynamicQuantizeLinear of what is not finite",
    ops: ["DynamicQuantizeLinear"],
    expected: () => undefined,
    isOpen: ({ inputs }) => {
      const x = numbersOf(inputs[0]);
      return (
        !x.every(Number.isFinite) || !Number.isFinite(Math.fround(Math.max(0, ...x) - Math.min(0, ...x)))
      );
    },
  },
  {
    // "Casting from floating point to fixed point is undefined if out of range"; codes of NaN likewise.
    name: "a float beyond the range of the integer that it becomes",
    ops: ["Cast", "QuantizeLinear"],
    expected: (facts) => {
      const [x] = numbersOf(facts.inputs[0]).length > 0 ? facts.inputs : [];
      const out = x && outOfRange(facts);
      return out ? openWhere(facts, (i) => out(Number(x.values[i]))) : undefined;
    },
    isOpen: (reads) => numbersOf(reads.inputs[0]).some((v) => outOfRange(reads)?.(v)),
  },
  {
    // What becomes of a sum or product that its type cannot hold, ONNX does not say.
    name: "integers that overflow their type",
    ops: ["Add", "Sub", "Mul", "ReduceProd"],
    expected: () => undefined,
    isOpen: ({ node, inputs: [a, b] }) => {
      if (!a || !/^i/.test(a.type)) return false;
      const [low, high] = ranges[a.type]!.map(Number) as [number, number];
      const isOut = (v: number) => v < low || v > high;
      const [x, y] = [numbersOf(a), numbersOf(b)];
      if (node.op === "ReduceProd")
        return isOut(x.reduce((product, v) => product * Math.max(1, Math.abs(v)), 1));
      const join = {
        Add: (p: number, q: number) => p + q,
        Sub: (p: number, q: number) => p - q,
        Mul: (p: number, q: number) => p * q,
      }[node.op]!;
      return x.some((p) => y.some((q) => isOut(join(p, q))));
    },
  },
  {
    // The text's default bounds are the lowest and the greatest number; its function body has no bound that is left out.
    name: "Clip of an infinity without a bound on its side",
    ops: ["Clip"],
    expected: (facts) => {
      const { inputs, attributes, want, got } = facts;
      const x = numbersOf(inputs[0]);
      const [hasMin, hasMax] = [inputs[1] || "min" in attributes, inputs[2] || "max" in attributes];
      const isFree = (v: number) =>
        (v === Number.NEGATIVE_INFINITY && !hasMin) || (v === Number.POSITIVE_INFINITY && !hasMax);
      return openWhere(
        facts,
        (i) => isFree(x[i]!) && got.data[i] === x[i] && Math.abs(Number(want.values[i])) > 6e4,
      );
    },
  },
  {
    // alpha · A · B + beta · C: A · B alone may overflow f32 where alpha is small.
    name: "Gemm whose product overflows before alpha",
    ops: ["Gemm"],
    expected: (facts) => {
      const { inputs, attributes, want, got } = facts;
      const [a, b, c] = inputs.map((value) => value && dense(value));
      if (!a || !b || want.values.every((v) => Number.isFinite(Number(v)))) return undefined;
      const { shape, values } = gemm(a, b, c, attributes as Readonly<Record<string, number>>);
      const elements = values.map((v, i) =>
        Number.isFinite(v) && !Number.isFinite(Number(want.values[i])) ? v : Number(want.values[i]),
      );
      return `${shape}` === `${got.shape}` ? { type: want.type, shape, values: elements } : undefined;
    },
  },
  {
    // ONNX Runtime's polynomials lose digits in the tails; octette's are nearer to the function.
    name: "tails of sigmoid, tanh and erf",
    ops: ["Erf", "Gelu", "Sigmoid", "Swish", "Tanh"],
    expected: (facts) => {
      const {
        node,
        inputs: [x],
        attributes,
        want,
        got,
      } = facts;
      const f = curves[node.op === "Gelu" && attributes.approximate === "tanh" ? "GeluTanh" : node.op];
      if (!x || !f) return undefined;
      // Of an element that differs by more than its own digits, the function decides.
      const right = numbersOf(x).map((v, i) => {
        const exact = f(v);
        return Math.abs(got.data[i]! - exact) <= Math.abs(Number(want.values[i]) - exact)
          ? got.data[i]!
          : exact;
      });
      return { ...want, values: right };
    },
  },
  {
    // The operator adds 1 to erf in f32: far below zero the sum keeps few digits, in any order of the steps.
    name: "1 + erf of Gelu in f32",
    ops: ["Gelu"],
    expected: (facts) => {
      const x = numbersOf(facts.inputs[0]);
      const f = curves[facts.attributes.approximate === "tanh" ? "GeluTanh" : "Gelu"]!;
      return openWhere(
        facts,
        (i) => Math.abs(facts.got.data[i]! - f(x[i]!)) <= 4 * 2 ** -24 * Math.abs(x[i]!),
      );
    },
  },
  {
    // A sum of nothing is 0, and the code of 0 is the zero point; ONNX Runtime leaves the memory of some results as it was, and
    // forgets beta.
    name: "a product over no elements",
    ops: ["Gemm", "MatMul", "QLinearMatMul"],
    expected: ({ node, inputs, attributes, want }) => {
      if (node.op === "Gemm") {
        const [a, b, c] = inputs.map((value) => value && dense(value));
        if (!a || !b || a.shape[attributes.transA ? 0 : 1] !== 0) return undefined;
        return { ...want, ...gemm(a, b, c, attributes as Readonly<Record<string, number>>) };
      }
      const isCoded = node.op === "QLinearMatMul";
      const [a, b, zeroPoint] = isCoded ? [inputs[0], inputs[3], inputs[7]] : inputs;
      const depth = a?.shape.at(-1);
      if (!a || !b || depth !== 0 || b.shape.at(b.shape.length === 1 ? 0 : -2) !== 0) return undefined;
      const zeroPoints = isCoded ? numbersOf(zeroPoint) : [0];
      if (zeroPoints.length !== 1) return undefined;
      return { ...want, values: Array(count(want.shape)).fill(zeroPoints[0]) };
    },
  },
  {
    name: "Slice of which ONNX Runtime takes INT32_MAX as a step's end",
    ops: ["Slice"],
    expected: ({ inputs, attributes, want }) => {
      const [x, starts, ends, axes, steps] = inputs;
      if (!x || want.type !== x.type) return undefined;
      const from = starts ? numbersOf(starts) : list(attributes.starts, []);
      const to = ends ? numbersOf(ends) : list(attributes.ends, []);
      const all = from.map((_, i) => i);
      const at = axes ? numbersOf(axes) : list(attributes.axes, all);
      const by = steps ? numbersOf(steps) : all.map(() => 1);
      const { shape, values } = slice(dense(x), from, to, at, by);
      return { type: x.type, shape, values };
    },
  },
  {
    // The greatest of elements that are all −Infinity is −Infinity, and of those that are not all numbers it is none, as Max and
    // ReduceMax have it; ONNX Runtime starts from the lowest finite float, and NaN is not greater.
    name: "NaN or −Infinity that ONNX Runtime's max pools drop",
    ops: ["MaxPool", "GlobalMaxPool"],
    expected: (facts) => {
      const { node, inputs, want } = facts;
      const [x] = inputs;
      if (!x || !numbersOf(x).some((v) => Number.isNaN(v) || v === Number.NEGATIVE_INFINITY))
        return undefined;
      const dims = x.shape.slice(2);
      const ones = dims.map(() => 1);
      const whole = {
        kernel: dims,
        strides: ones,
        dilations: ones,
        pads: [...dims, ...dims].map(() => 0),
        autoPad: "NOTSET",
        ceil: false,
      };
      const window = node.op === "MaxPool" ? windowOf(facts) : whole;
      return window && { type: want.type, ...pool(dense(x), window, greatest) };
    },
  },
  {
    // ONNX's reference takes NaN as greater than any number.
    name: "ArgMax of NaN",
    ops: ["ArgMax"],
    expected: ({ inputs: [x], attributes, got, want }) => {
      if (!x || !numbersOf(x).some(Number.isNaN)) return undefined;
      const axis = Number(attributes.axis ?? 0);
      const at = axis < 0 ? axis + x.shape.length : axis;
      const values = argMax(dense(x), at, attributes.select_last_index === 1);
      return { type: want.type, shape: got.shape, values };
    },
  },
  {
    // ONNX's formula for the padding of SAME counts the window with its dilation.
    name: "SAME padding of a dilated pool",
    ops: ["MaxPool", "AveragePool"],
    expected: (facts) => {
      const { node, inputs, attributes, want } = facts;
      const [x] = inputs;
      const window = windowOf(facts);
      if (!x || !window?.autoPad.startsWith("SAME") || window.dilations.every((d) => d === 1))
        return undefined;
      const counts = attributes.count_include_pad === 1;
      const mean = (elements: readonly number[], padded: number) =>
        elements.reduce((sum, v) => sum + v, 0) / (counts ? padded : elements.length);
      return { type: want.type, ...pool(dense(x), window, node.op === "MaxPool" ? greatest : mean) };
    },
  },
  {
    // ONNX's function body computes in f32, where a sum of large numbers is infinite; ONNX Runtime's sum is wider.
    name: "a sum that overflows f32 in LayerNormalization",
    ops: ["LayerNormalization"],
    expected: () => undefined,
    isOpen: ({ inputs: [x] }) => numbersOf(x).some((v) => Math.abs(v) > 1e17),
  },
  {
    // Octette has no f64: it computes the number of elements of the bounds and the step as f32.
    name: "Range of f64",
    ops: ["Range"],
    expected: ({ inputs, want }) => {
      if (inputs[0]?.type !== "f64") return undefined;
      const [start = 0, limit = 0, delta = 1] = inputs.map((value) => Math.fround(numbersOf(value)[0]!));
      const length = Math.max(0, Math.ceil(Math.fround(Math.fround(limit - start) / delta)));
      return {
        type: want.type,
        shape: [length],
        values: Array.from({ length }, (_, i) => start + i * delta),
      };
    },
  },
  {
    // Elements that are equal but for their last digits: which one is greater, the steps before decide.
    name: "ArgMax between equals",
    ops: ["ArgMax"],
    expected: (facts) => {
      const {
        inputs: [x],
        attributes,
        got,
        want,
      } = facts;
      if (!x) return undefined;
      const axis = Number(attributes.axis ?? 0);
      const at = axis < 0 ? axis + x.shape.length : axis;
      const rows = [...indicesOf(x.shape.map((dim, i) => (i === at ? 1 : dim)))];
      const element = (i: number, k: number) => numbersOf(x)[offsetOf(rows[i]!.with(at, k), x.shape)]!;
      return openWhere(facts, (i) => {
        const [ours, theirs] = [element(i, got.data[i]!), element(i, Number(want.values[i]))];
        return Math.abs(ours - theirs) <= 2e-6 * Math.abs(theirs);
      });
    },
  },
  {
    // A row whose maximum is NaN or infinite: what is subtracted from itself there is NaN, and with it the sum of the row.
    name: "LogSoftmax or Softmax of a row without a finite maximum",
    ops: ["LogSoftmax", "Softmax"],
    expected: ({ inputs: [x], attributes, opset, want }) => {
      if (!x || opset < 13) return undefined;
      const axis = Number(attributes.axis ?? -1);
      const at = axis < 0 ? axis + x.shape.length : axis;
      const { values } = dense(x);
      const isBroken = (index: number[]) => {
        const row = Array.from(
          { length: x.shape[at]! },
          (_, k) => values[offsetOf(index.with(at, k), x.shape)]!,
        );
        return !Number.isFinite(greatest(row));
      };
      const all = [...indicesOf(x.shape)];
      if (!all.some(isBroken)) return undefined;
      return {
        ...want,
        values: all.map((index, i) => (isBroken(index) ? Number.NaN : Number(want.values[i]))),
      };
    },
  },
  {
    // The specification says nothing of a loop of no iteration; ONNX Runtime forgets the other dimensions, which follow from the body.
    name: "scan outputs of a Loop of no iteration",
    ops: ["Loop"],
    expected: ({ got, want }) =>
      want.values.length === 0 && got.shape[0] === 0 ? { ...want, shape: got.shape } : undefined,
  },
  {
    // Octette subtracts the mean first; ONNX Runtime multiplies both, where products of large numbers are infinite.
    name: "an overflow in BatchNormalization",
    ops: ["BatchNormalization"],
    expected: () => undefined,
    isOpen: ({ inputs }) => inputs.some((value) => value && numbersOf(value).some((v) => Math.abs(v) > 1e30)),
  },
  {
    // Nothing is dropped where a model runs: ONNX's mask says so from version 12 on, ONNX Runtime's of earlier versions is false.
    name: "the mask of a Dropout before version 12",
    ops: ["Dropout"],
    expected: ({ opset, want }) =>
      opset < 12 && want.type === "bool" ? { ...want, values: want.values.map(() => 1) } : undefined,
  },
  {
    // A weight of 0 makes NaN of what is infinite; ONNX Runtime leaves such elements out where a size stays.
    name: "Resize of what is not finite",
    ops: ["Resize"],
    expected: () => undefined,
    isOpen: ({ inputs: [x] }) => x !== undefined && numbersOf(x).some((v) => !Number.isFinite(v)),
  },
];
