// Elementwise ops with one input: one kernel over floats, a table of 256 codes over integers.

import type { Node } from "../graph/graph";
import { countOf } from "../graph/symbols";
import { codeBounds, perTensor } from "./codes";
import { asInput } from "./layout";
import { type Address, floatType, type Kernels, type Lowering, numberOf, type Op } from "./op";

type ElementwiseTail = readonly [begin: number, end: number];
/** Kernels called as (y, x, …parameters, begin, end). */
type UnaryKernel = {
  [K in keyof Kernels]: Parameters<Kernels[K]> extends readonly [usize, usize, ...infer _, number, number]
    ? K
    : never;
}[keyof Kernels];

/** A kernel's scalar: a number, or an attribute with its default. */
type Scalar = number | readonly [attribute: string, otherwise: number];

/** An op that is y = f(x) for every element. */
// @__NO_SIDE_EFFECTS__
export function unary(kernel: UnaryKernel, scalars: readonly Scalar[] = []): Op {
  const name = kernel as "sigmoid";
  const argsOf = (y: Address, x: Address, node: Node) => {
    const numbers = scalars.map((scalar) =>
      typeof scalar === "number" ? scalar : numberOf(node, ...scalar),
    );
    return [y, x, ...numbers] as unknown as readonly [Address, Address];
  };
  return {
    attributes: scalars.flatMap((scalar) => (typeof scalar === "number" ? [] : scalar[0])),
    infer(node, inputs) {
      return [floatType(node, inputs, 0)];
    },
    rows: true,
    layout: asInput,
    fusesClamp: "integer",
    lower({ node, inputs, outputs }, c) {
      const [x, y] = [inputs[0]!, outputs[0]!];
      const { shape } = floatType(node, [c.type(x)], 0);
      c.emit(name, argsOf(c.output(y, x), c.input(x), node), countOf(shape));
    },
    lowerInteger({ node, inputs, outputs, integer, clamp }, c) {
      const [xq, yq] = [perTensor(integer!.inputs[0], node), perTensor(integer!.output, node)];
      const real = c.stage(4 * 256);
      const given = c.stage(allCodes());
      const table = c.reserve(256);
      const { lo, hi } = codeBounds(clamp, yq);
      const all: ElementwiseTail = [0, 256];
      c.load("dequantize", [real, given, xq.scale[0]!, xq.zeroPoint[0]!, ...all]);
      c.load(name, [...argsOf(real, real, node), ...all]);
      c.load("quantize", [table, real, yq.scale[0]!, yq.zeroPoint[0]!, lo, hi, ...all]);
      lookUp(c, inputs[0]!, outputs[0]!, table);
    },
  };
}

let codes: Uint8Array | undefined;

/** 0 to 255. */
const allCodes = (): Uint8Array => (codes ??= Uint8Array.from({ length: 256 }, (_, q) => q));

/** y[i] = table[x[i]] over all codes of a value. */
function lookUp(c: Lowering, x: string, y: string, table: Address): void {
  const [rows = 1, ...rest] = c.type(x).shape;
  const cols = countOf(rest);
  c.emit("lookup", [c.output(y, x), cols, c.input(x), cols, cols, table], rows);
}
