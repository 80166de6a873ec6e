// Gradients of the cases of an op's table: the nodes that its rule writes, run through the compiler, against central
// differences of the op in float64.

import { expect } from "vitest";
import { Model } from "../../src/engine/model";
import { unitsOf } from "../../src/engine/units";
import type { Node } from "../../src/graph/graph";
import type { Shape } from "../../src/graph/symbols";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { inferTypes } from "../../src/ops/infer";
import { BATCH } from "../engine/cuts";
import { randomOf } from "../graph-builder";
import { type Oracle, type Real, realOf } from "../reference/oracle";
import {
  differences,
  expectClose,
  GradientGraph,
  ops,
  trainingEngine,
} from "../train/gradients/check-gradient";
import { forwardOf } from "../train/reference/forward";
import { boundTo, isImage } from "./case-graph";

export interface GradientCase {
  readonly op: string;
  readonly attributes?: Node["attributes"];
  /**
   * A shape of random numbers that are trained, a tensor that is fed as it is, or nothing. A first dimension that is a symbol
   * stays one in the graph, and a run has fewer than the model was made for.
   */
  readonly inputs: readonly (Shape | Tensor | undefined)[];
  /** Range of the random numbers. */
  readonly from?: readonly [number, number];
  readonly outputs?: number;
  /** Fused behind the op. */
  readonly activation?: "Relu" | "Clip" | undefined;
  /** What it computes, where the reference does not know. */
  readonly oracle?: Oracle | undefined;
}

/** One way of asking for the gradients of a case. */
interface Way {
  /** Whether inputs, and gradients of outputs, lie in memory as images do. */
  readonly lies: boolean;
  readonly dyLies: boolean;
  /** Inputs whose gradient is wanted. */
  readonly wanted: readonly number[];
  /** Outputs that something depends on. */
  readonly used: readonly number[];
}

/** Rows of a batch. */
const ROWS = 3;
/** Elements of an input that differences are taken by; of a larger one as many, evenly spread. */
const MAX_DIFFERENCES = 96;
/** Bounds of a fused Clip. */
const BOUNDS = { min: -0.3, max: 0.6 };

/** Values, some of which may be left out. */
type Reals = readonly (Real | undefined)[];

/** Whether a value of this shape can lie as an image does: channels last, or as such an image that is flattened. */
const canLie = (shape: Shape): boolean =>
  isImage(shape) || (shape.length === 2 && Number(shape[1]) % 3 === 0);

/** Adds an input, which lies as an image does where it can: a pooling of single pixels makes one channels-last. */
function placed(g: GradientGraph, name: string, shape: Shape, lies: boolean): string {
  if (!lies || !canLie(shape)) return g.input(name, shape);
  const isFlat = shape.length === 2;
  const image = isFlat ? [shape[0]!, 3, (shape[1] as number) / 3, 1] : shape;
  g.input(name, image);
  const [pooled, flat] = [`${name}_pooled`, `${name}_flat`];
  const kernel = image.slice(2).map(() => 1);
  const node = (op: string, from: string, to: string, attributes: Node["attributes"]) =>
    g.add({ op, name: to, inputs: [from], outputs: [to], attributes });
  node("MaxPool", name, pooled, { kernel_shape: kernel });
  if (!isFlat) return pooled;
  node("Flatten", pooled, flat, {});
  return flat;
}

/** Compares what a rule writes with central differences, in every way of asking for it. */
export function checkGradient(one: GradientCase): void {
  const { op, attributes = {}, from = [-1, 1], outputs: count = 1, activation, oracle } = one;
  const { between } = randomOf(1);
  const fill = (shape: Shape, [lo, hi]: readonly [number, number]) => {
    const actual = shape.map((dim) => (typeof dim === "string" ? ROWS : dim));
    return tensor(
      "f32",
      actual,
      Array.from({ length: sizeOf(actual) }, () => between(lo, hi)),
    );
  };
  const fed = one.inputs.map((input) => (input && !("dtype" in input) ? fill(input, from) : input));
  const trained = one.inputs.flatMap((input, i) => (input && !("dtype" in input) ? [i] : []));
  const results = Array.from({ length: count }, (_, i) => `y${i}`);
  const node: Node = {
    op,
    name: "op",
    inputs: fed.map((x, i) => (x ? `x${i}` : "")),
    outputs: results,
    attributes,
  };
  const clamp: Node | undefined = activation && {
    op: activation,
    name: "clamp",
    inputs: ["y0"],
    outputs: ["z"],
    attributes: activation === "Clip" ? BOUNDS : {},
  };
  const bound = { ...node, attributes: boundTo(ROWS, attributes) };
  const forward = (inputs: Reals) => {
    const ys = forwardOf(op, oracle)(bound, inputs).slice(0, count);
    return clamp ? forwardOf(clamp.op)(clamp, ys) : ys;
  };
  const reals = fed.map((x) => x && realOf(x));
  const dys = forward(reals).map(({ shape }) => fill(shape, [-1, 1]));
  const samples = fed.map((x) => sampled(x?.data.length ?? 0));

  /** Gradients as the compiled rule finds them. */
  const run = ({ lies, dyLies, wanted, used }: Way): readonly Tensor[] => {
    const g = new GradientGraph();
    const values = fed.map((x, i) => {
      const given = one.inputs[i];
      if (!x || !given) return "";
      if (!("dtype" in given)) return placed(g, `x${i}`, given, lies);
      // Floats that are given are a constant.
      return x.dtype === "f32" ? g.hold(`x${i}`, x) : g.input(`x${i}`, x.shape, x.dtype);
    });
    for (const i of wanted) g.wanted.add(values[i]!);
    const own = { ...node, inputs: values };
    g.add(own);
    if (clamp) g.add(clamp);
    const names = results.map((y, i) =>
      used.includes(i) ? placed(g, `dy${i}`, g.type(clamp ? "z" : y).shape, dyLies) : undefined,
    );
    const graph = g.graph(clamp ? ["z"] : results);
    const unit = unitsOf(graph, ops, inferTypes(graph, ops), new Set()).find((unit) => unit.node === own)!;
    expect(unit.clamp === undefined, "nothing is fused").toBe(clamp === undefined);
    g.differentiate(unit, names);
    const found = wanted.map((i) => g.given.get(values[i]!) ?? expect.fail(`x${i} was given no gradient`));
    expect(g.given.size, "inputs that were given a gradient").toBe(wanted.length);
    const feeds = Object.fromEntries([
      ...fed.flatMap((x, i) => (x && !g.constants.has(`x${i}`) ? [[`x${i}`, x.data] as const] : [])),
      ...used.map((i) => [`dy${i}`, dys[i]!.data] as const),
    ]);
    const maxima = { [BATCH]: ROWS + 2 };
    const isBatched = g.inputs.some(({ shape }) => shape[0] === BATCH);
    const model = new Model(g.graph(found), ops, trainingEngine, isBatched ? { maxima } : {});
    try {
      const answers = model.runSync(feeds);
      return found.map((name) => answers[name]!);
    } finally {
      model.dispose();
    }
  };

  for (const ways of waysOf(one, trained, count, dys)) {
    const dy64 = dys.map(({ data }, i) => (ways[0]!.used.includes(i) ? Float64Array.from(data) : undefined));
    const expected = fed.map((_, i) =>
      trained.includes(i) ? differences(forward, reals, dy64, i, samples[i]) : [],
    );
    for (const way of ways) {
      const found = run(way);
      for (const [at, i] of way.wanted.entries()) {
        const what = `${op}, gradient of input ${i}, ${JSON.stringify(way)}`;
        expect(found[at]!.shape, what).toEqual(fed[i]!.shape);
        const { data } = found[at]!;
        expectClose(
          samples[i]!.map((at) => data[at]!),
          expected[i]!,
          what,
        );
      }
    }
  }
}

/** Indices of at most MAX_DIFFERENCES elements. */
function sampled(length: number): readonly number[] {
  const count = Math.min(length, MAX_DIFFERENCES);
  return Array.from({ length: count }, (_, i) => Math.floor((i * length) / count));
}

/** The ways of a case, those of the same outputs together: every order of memory; each gradient, and each output, alone. */
function waysOf(
  { inputs }: GradientCase,
  trained: readonly number[],
  count: number,
  dys: readonly Tensor[],
): readonly (readonly Way[])[] {
  const all = dys.map((_, i) => i);
  const plain = { lies: false, dyLies: false, wanted: trained, used: all };
  const lies = trained.some((i) => canLie(inputs[i] as Shape)) ? [false, true] : [false];
  const dyLies = dys.some(({ shape }) => canLie(shape)) ? [false, true] : [false];
  const orders = lies.flatMap((lies) => dyLies.map((dyLies) => ({ ...plain, lies, dyLies })));
  const alone = trained.length > 1 ? trained.map((i) => ({ ...plain, wanted: [i] })) : [];
  const single = count > 1 ? all.map((i) => orders.map((way) => ({ ...way, used: [i] }))) : [];
  return [[...orders, ...alone], ...single];
}
