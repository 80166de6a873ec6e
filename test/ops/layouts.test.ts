// Ops that move elements between ops that keep channels last: for floats and for codes, with the layouts their inputs
// really have, the result is the reference's to the bit.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { expectSameBytes, randomFeeds } from "../check-model";
import { withModel } from "../engine/engines";
import { type Attributes, type Coded, type CodeType, GraphBuilder, type Range } from "../graph-builder";
import { runReference } from "../reference/index";

const BATCH = 3;
/** Makes its input channels last and changes nothing. */
const asImage = { kernel_shape: [1, 1] };
const image = ["batch", 6, 4, 5] as const;

interface Moving {
  readonly op: string;
  readonly attributes: Attributes;
  /** Inputs, each an image that is channels last, or plain. */
  readonly inputs?: readonly ("image" | "plain")[];
  /** Whether its output is an image, which is read channels last. */
  readonly isImage?: boolean;
}

const moving: Record<string, Moving> = {
  "flatten to rows": { op: "Flatten", attributes: { axis: 1 } },
  "flatten behind the rows": { op: "Flatten", attributes: { axis: 2 } },
  "reshape to rows": { op: "Reshape", attributes: { shape: ["batch", 120] } },
  "reshape of images": { op: "Reshape", attributes: { shape: ["batch", 3, 8, 5] }, isImage: true },
  unsqueeze: { op: "Unsqueeze", attributes: { axes: [2] } },
  "transpose to channels last": { op: "Transpose", attributes: { perm: [0, 2, 3, 1] } },
  "transpose to channels last, read as an image": {
    op: "Transpose",
    attributes: { perm: [0, 2, 3, 1] },
    isImage: true,
  },
  "transpose from channels last": {
    op: "Transpose",
    attributes: { perm: [0, 3, 1, 2] },
    inputs: ["plain"],
    isImage: true,
  },
  "transpose of height and width": { op: "Transpose", attributes: { perm: [0, 1, 3, 2] }, isImage: true },
  "transpose of everything but the rows": { op: "Transpose", attributes: { perm: [0, 3, 2, 1] } },
  "transpose of the rows": { op: "Transpose", attributes: { perm: [1, 0, 2, 3] } },
  "slice of channels": {
    op: "Slice",
    attributes: { starts: [1], ends: [5], axes: [1], steps: [2] },
    isImage: true,
  },
  "slice of the map, backwards": {
    op: "Slice",
    attributes: { starts: [-1, 1], ends: [-9, 4], axes: [2, 3], steps: [-1, 1] },
    isImage: true,
  },
  "pad of the map": { op: "Pad", attributes: { pads: [0, 0, 1, 0, 0, 0, 2, 3], value: 0.5 }, isImage: true },
  "pad of channels": { op: "Pad", attributes: { pads: [0, 2, 0, 0, 0, 1, 0, 0] }, isImage: true },
  "pad that takes away": {
    op: "Pad",
    attributes: { pads: [0, 0, -1, 1, 0, 0, -1, -2], value: -0.25 },
    isImage: true,
  },
  "pad by reflection": {
    op: "Pad",
    attributes: { pads: [0, 0, 2, 1, 0, 0, 3, 4], mode: "reflect" },
    isImage: true,
  },
  "pad with the edge": {
    op: "Pad",
    attributes: { pads: [0, 1, 6, 0, 0, 2, 0, 7], mode: "edge" },
    isImage: true,
  },
  "pad with the other end": {
    op: "Pad",
    attributes: { pads: [0, 0, 4, 2, 0, 0, 1, 5], mode: "wrap" },
    isImage: true,
  },
  "concat of channels": {
    op: "Concat",
    attributes: { axis: 1 },
    inputs: ["image", "image", "image"],
    isImage: true,
  },
  "concat of rows of the map": {
    op: "Concat",
    attributes: { axis: 2 },
    inputs: ["image", "image"],
    isImage: true,
  },
  "concat of an image and a plain value": {
    op: "Concat",
    attributes: { axis: 1 },
    inputs: ["image", "plain"],
    isImage: true,
  },
  "concat of plain values": { op: "Concat", attributes: { axis: -1 }, inputs: ["plain", "plain"] },
};

function graphOf(
  { op, attributes, inputs = ["image"], isImage }: Moving,
  quantized: boolean,
  ranges: "one" | "many",
  codes: CodeType = "u8",
): Graph {
  const builder = new GraphBuilder(3);
  const common = builder.range(codes);
  const make = (kind: string, from: Coded, y: string, more: Attributes, range: Range): Coded =>
    quantized
      ? builder.layer(kind, [from], y, { attributes: more, range })
      : { codes: builder.node(kind, [from.codes], y, more), scale: "", range };
  const operands = inputs.map((kind, i) => {
    const range = ranges === "one" ? common : builder.range(codes);
    const value = builder.input(`x${i}`, image);
    const x: Coded = quantized ? builder.quantize(value, range) : { codes: value, scale: "", range };
    return kind === "image" ? make("MaxPool", x, `image${i}`, asImage, range) : x;
  });
  const result: Coded = quantized
    ? builder.layer(op, operands, "moved", { attributes, range: common })
    : {
        codes: builder.node(
          op,
          operands.map(({ codes }) => codes),
          "moved",
          attributes,
        ),
        scale: "",
        range: common,
      };
  const last = isImage ? make("MaxPool", result, "seen", asImage, common) : result;
  if (!quantized) return builder.build(last.codes);
  builder.dequantize(last, "y");
  return builder.build("y");
}

function expectReference(graph: Graph): void {
  const feeds = randomFeeds(graph, BATCH);
  const [output] = graph.outputs as [string];
  const expected = runReference(graph, feeds).get(output)!;
  withModel(graph, { maxima: { batch: BATCH } }, (model) =>
    expectSameBytes(model.runSync(feeds)[output], expected),
  );
}

for (const [name, one] of Object.entries(moving)) {
  test(`${name}, floats`, () => expectReference(graphOf(one, false, "one")));
  for (const codes of ["u8", "i8"] as const)
    test(`${name}, ${codes} codes`, () => expectReference(graphOf(one, true, "one", codes)));
}

describe("codes of different ranges", () => {
  for (const [name, one] of Object.entries(moving).filter(([, { op }]) => op === "Concat"))
    test(name, () => expectReference(graphOf(one, true, "many")));

  test("an op that only moves codes needs one range", () => {
    const graph = graphOf(moving["transpose of the rows"]!, true, "many");
    expect(() => withModel(graph, {}, () => undefined)).toThrow(OctetteError);
  });
});

describe("split", () => {
  test("parts of channels", () => {
    const builder = new GraphBuilder(4);
    const x = builder.node("MaxPool", [builder.input("x", image)], "image", asImage);
    const graph = builder.build(x);
    const split = {
      op: "Split",
      name: "split",
      inputs: [x],
      outputs: ["a", "b", "c"],
      attributes: { axis: 1, split: [1, 3, 2] },
    };
    const whole = { ...graph, nodes: [...graph.nodes, split], outputs: ["a", "b", "c"] };
    const feeds = randomFeeds(whole, BATCH);
    const expected = runReference(whole, feeds);
    withModel(whole, { maxima: { batch: BATCH } }, (model) => {
      const results = model.runSync(feeds);
      for (const part of whole.outputs) expectSameBytes(results[part], expected.get(part)!, part);
    });
  });
});

describe("images broadcast", () => {
  const first = [BATCH, 6, 4, 5];
  /** The other operand, of lower, equal and higher rank. */
  const others = [
    [],
    [5],
    [4, 1],
    [6, 1, 1],
    [6, 4, 5],
    [1, 6, 1, 1],
    [1, 1, 4, 5],
    [2, 1, 1, 1, 1],
    [2, BATCH, 1, 1, 1],
    [2, BATCH, 6, 4, 5],
  ];
  for (const op of ["Add", "Sub", "Mul", "Div"])
    test.each(
      others.flatMap((shape) => ["image", "plain"].map((kind) => ({ shape, kind }))),
    )(`${op} with $kind $shape, either way around`, ({ shape, kind }) => {
      for (const swaps of [false, true]) {
        const builder = new GraphBuilder(6);
        const x = builder.node("MaxPool", [builder.input("x", first)], "image", asImage);
        const given = builder.input("z", shape);
        const isImage = kind === "image" && [3, 4].includes(shape.length);
        const attributes = { kernel_shape: shape.slice(2).map(() => 1) };
        const z = isImage ? builder.node("MaxPool", [given], "other", attributes) : given;
        expectReference(builder.build(builder.node(op, swaps ? [z, x] : [x, z], "y")));
      }
    });
});
