// Concat: inputs one after the other along `axis`. Codes of the output's scale and zero point are copied, others go
// through a table of 256.

import type { Node } from "../../graph/graph";
import { addDims, type Dim, multiplyDims, type Shape } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { normalizeAxis } from "../axes";
import { codeOf, perTensor, realOf, sameCodes } from "../codes";
import { emitCopy, memoryOrder, memoryStrides, shifted, walkable } from "../copy";
import { needSame } from "../equal";
import { listLike } from "../known";
import {
  type Address,
  ANY_NUMBER,
  inputType,
  type Lowering,
  numberOf,
  type Op,
  opError,
  type Quantization,
  type Traits,
  type Unit,
} from "../op";

const axisOf = (node: Node, shape: Shape) => normalizeAxis(node, numberOf(node, "axis", 0), shape.length);

/** Sizes beside the axis that differ as text are taken to be equal: a run in which they are not is refused. */
function joined(node: Node, shapes: readonly Shape[]): Dim[] {
  const [first, ...rest] = shapes as [Shape, ...Shape[]];
  const axis = axisOf(node, first);
  const shape = [...first];
  for (const next of rest) {
    const differs = (dim: Dim, i: number) => i !== axis && Math.abs(Number(dim) - Number(first[i])) > 0;
    if (next.length !== first.length || next.some(differs))
      throw opError(node, "shapes do not fit", {
        expected: `[${first.map((dim, i) => (i === axis ? "n" : dim)).join(", ")}]`,
        got: `[${next.join(", ")}]`,
      });
    shape[axis] = addDims(shape[axis]!, next[axis]!);
  }
  return shape;
}

/** Steps that copy one input into its part of the output, `start` along the axis; returns where that part begins. */
function lowerPart(
  { node, outputs }: Unit,
  c: Lowering,
  y: Address,
  input: string,
  axis: number,
  start: Dim,
): Address {
  const output = outputs[0]!;
  const { dtype, shape } = c.type(input);
  const whole = c.type(output).shape;
  needSame(c, shape, whole.with(axis, shape[axis]!));
  const layout = c.layout(output);
  const xStrides = memoryStrides(shape, c.layout(input));
  const yStrides = memoryStrides(whole, layout);
  const part = shifted(y, multiplyDims(start, yStrides[axis]!), dtype);
  const loops = memoryOrder(shape.length, layout).map((i) => ({
    extent: shape[i]!,
    y: yStrides[i]!,
    x: xStrides[i]!,
  }));
  emitCopy(node, c, dtype, part, c.input(input), loops);
  return part;
}

export const concat: Op = {
  inputs: ANY_NUMBER,
  attributes: ["axis"],
  infer(node, inputs) {
    const types = [
      inputType(node, inputs, 0),
      ...inputs.slice(1).map((_, i) => inputType(node, inputs, i + 1)),
    ];
    return [
      {
        dtype: types[0]!.dtype,
        shape: joined(
          node,
          types.map((type) => type.shape),
        ),
      },
    ];
  },
  rows: true,
  /** Channels last when an input is; every input is read as it lies. */
  layout: (_, layouts) => ({
    inputs: layouts.map(walkable),
    outputs: [layouts.includes("channelsLast") ? "channelsLast" : "plain"],
  }),
  lower(unit, c) {
    const axis = axisOf(unit.node, c.type(unit.outputs[0]!).shape);
    const y = c.output(unit.outputs[0]!);
    let start: Dim = 0;
    for (const input of unit.inputs) {
      lowerPart(unit, c, y, input, axis, start);
      start = addDims(start, c.type(input).shape[axis]!);
    }
  },
  lowerInteger(unit, c) {
    const { node, inputs, outputs, integer } = unit;
    const shape = c.type(outputs[0]!).shape;
    const axis = axisOf(node, shape);
    const y = c.output(outputs[0]!);
    const result = perTensor(integer?.output, node);
    // In memory a part is rows of `cols` codes, `ldy` apart.
    const order = memoryOrder(shape.length, c.layout(outputs[0]!));
    const [before, after] = [order.slice(0, order.indexOf(axis)), order.slice(order.indexOf(axis) + 1)];
    const product = (dims: Shape) => dims.reduce<Dim>(multiplyDims, 1);
    const rows = product(before.map((i) => shape[i]!));
    const inner = product(after.map((i) => shape[i]!));
    let start: Dim = 0;
    for (const [i, input] of inputs.entries()) {
      const codes = perTensor(integer?.inputs[i], node);
      if (c.constant(input))
        throw opError(node, `input ${i} has no codes that are computed`, { hint: "Leave this Concat float" });
      const part = lowerPart(unit, c, y, input, axis, start);
      const extent = c.type(input).shape[axis]!;
      if (!sameCodes(codes, result)) {
        const ldy = multiplyDims(shape[axis]!, inner);
        c.emit(
          "lookup",
          [part, ldy, part, ldy, multiplyDims(extent, inner), tableOf(c, codes, result)],
          rows,
        );
      }
      start = addDims(start, extent);
    }
  },
};

/** t[q] = the output's code for what q means: clamp(rne(f32(f32((q − zx)·sx) / sy)) + zy). */
const tableOf = (c: Lowering, x: Quantization, y: Quantization) =>
  c.data(Uint8Array.from({ length: 256 }, (_, q) => codeOf(realOf(q, x), y)));

export const concatTraits: Traits = {
  codes: "join",
  homogeneous: undefined,
  trained: undefined,
  idle: (node) => node.inputs.length === 1,
  equal: (node, [first, ...rest]) =>
    rest.flatMap((shape) =>
      shape.map((dim, i) => [i === axisOf(node, shape) ? dim : first![i], dim] as const),
    ),
  evaluate(node, inputs) {
    if (!inputs.every((known) => known !== undefined)) return undefined;
    const shape = joined(
      node,
      inputs.map((known) => known.shape),
    ) as number[];
    const axis = axisOf(node, shape);
    const isNumeric = inputs.every((known) => ArrayBuffer.isView(known.data));
    const data = isNumeric ? listLike(inputs[0]!, sizeOf(shape)) : new Array<Dim>(sizeOf(shape));
    const outer = sizeOf(shape.slice(0, axis));
    let to = 0;
    for (let o = 0; o < outer; o++)
      for (const known of inputs) {
        const run = sizeOf(known.shape.slice(axis));
        for (let i = 0; i < run; i++) data[to++] = known.data[o * run + i]!;
      }
    return [{ dtype: inputs[0]!.dtype, shape, data }];
  },
};
