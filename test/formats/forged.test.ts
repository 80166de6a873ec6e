// Artifacts made to harm, their hashes right: whatever their graph and tensors say, reading, loading and running them ends
// in an answer or in an OctetteError that names the rule, before it costs time or memory.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import { readSafetensors } from "../../src/formats/safetensors";
import type { Graph } from "../../src/graph/graph";
import { type DType, sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { convGraph, denseGraph, networkGraph, opGraph, randomFeeds } from "../check-model";
import { withModel } from "../engine/engines";
import { sealed } from "./sealed";

type Path = readonly (string | number)[];
// biome-ignore lint/suspicious/noExplicitAny: any JSON, which the tests change anywhere
type Json = any;
type Tensors = Map<string, Tensor>;
type Edit = (json: Json, tensors: Tensors) => void;

const partsOf = (graph: Graph) => {
  const { tensors, metadata } = readSafetensors(writeArtifact(graph));
  return { tensors, metadata, json: JSON.parse(metadata.graph!) as Json };
};

/** The artifact of a graph, changed by `edit`, with the hash it then has. */
function forged(graph: Graph, edit: Edit): Uint8Array {
  const { tensors, metadata, json } = partsOf(graph);
  edit(json, tensors);
  // A number beyond f64, which JSON.parse takes for infinity.
  const text = JSON.stringify(json, (_, value) => (value === Infinity ? "∞" : value));
  return sealed(tensors, { ...metadata, graph: text.replaceAll('"∞"', "1e999") });
}

/** Longest that a forged file may take, in milliseconds. */
const PATIENCE = 2000;
/** Memory of models that are run here; larger ones are only loaded. */
const SMALL_BYTES = 1 << 22;

/** Reads, loads and runs with a batch of one and of none; the OctetteError it ends with, if any. */
function outcome(bytes: Uint8Array): OctetteError | undefined {
  const start = performance.now();
  try {
    const { graph } = readArtifact(bytes, "forged.octette");
    withModel(graph, { engineClass: "baseline" }, (model) => {
      if (model.bytes > SMALL_BYTES) return;
      for (const batch of [1, 0]) model.runSync(randomFeeds(graph, batch));
    });
    return undefined;
  } catch (error) {
    if (error instanceof OctetteError) return error;
    throw error;
  } finally {
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  }
}

const image = ["batch", 4, 6, 6];
const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
const float = (op: string, shape: readonly (string | number)[], attributes: Json = {}) =>
  opGraph({ op, shapes: [shape], quantized: false, attributes });
const network = networkGraph();
const floatNetwork = networkGraph({ quantized: false });
const addition = opGraph({ op: "Add", shapes: [image, image], codes: "i8" });
const dynamic = denseGraph({ k: 9, n: 5, mode: "dynamic" });
const pool = opGraph({ op: "AveragePool", shapes: [image], attributes: { ...window, ceil_mode: 1 } });
const padded = float("Pad", ["batch", 2, 3], { pads: [0, 1, 1, 0, 1, 1], mode: "reflect" });
const sliced = float("Slice", ["batch", 5, 3], { starts: [1, 0], ends: [4, 3], axes: [1, 2], steps: [2, 1] });
const expanded = float("Expand", ["batch", 1, 3], { shape: ["batch", 4, 3] });
const reduced = float("ReduceMean", ["batch", 2, 3], { axes: [1, 2], keepdims: 0 });
const sources: Record<string, Graph> = {
  network,
  floatNetwork,
  addition,
  dynamic,
  pool,
  padded,
  sliced,
  expanded,
  reduced,
  "grouped convolution": convGraph({ cin: 4, cout: 6, k: 3, h: 5, w: 5, groups: 2, activation: "Clip" }),
  "static-float, no bias": denseGraph({ k: 9, n: 5, mode: "static-float", bias: false }),
  Sigmoid: opGraph({ op: "Sigmoid", shapes: [["batch", 4]], activation: "Clip" }),
  MaxPool: float("MaxPool", image, window),
  Reshape: float("Reshape", ["batch", 6], { shape: ["batch", 2, 3] }),
  Transpose: float("Transpose", ["batch", 2, 3], { perm: [0, 2, 1] }),
  Softmax: float("Softmax", ["batch", 6], { axis: -1 }),
  Flatten: opGraph({ op: "Flatten", shapes: [image], keepsRange: true, attributes: { axis: 1 } }),
};

/** Every place in a JSON value. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) =>
    placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length > 0 ? [path, ...inner] : inner;
}

const harmful: readonly unknown[] = [
  ...[-1, 0, 1, 2, 3, 7, 0.5, -0.5, 1.5, -2, 127, 128, 255, 256, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32],
  ...[2 ** 53, 1e300, Infinity, -(2 ** 31), -(2 ** 53), 1e-40, "", "x", "batch", "n+-2*m", "__proto__"],
  ...["toString", "i8", "f32", "i32", "bool", "u8", "Relu", "Clip", "QuantizeLinear", "Softmax", "NOTSET"],
  ...[null, true, [], {}, [0], [1], [-1], [0, 0], [1, 1, 1, 1], ["batch"], [2 ** 31, 2 ** 31], [1e18]],
];

describe.each(Object.entries(sources))("%s", (_, graph) => {
  const { json, tensors } = partsOf(graph);

  test("is an answer as it is", () => expect(outcome(forged(graph, () => {}))).toBeUndefined());

  test("with any parts of its graph replaced", () => {
    const place = fc.constantFrom(...placesOf(json));
    const value = fc.oneof(
      fc.constantFrom(...harmful),
      fc.integer({ min: -1, max: (json.strings as string[]).length }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 3 }), (changes) => {
        const bytes = forged(graph, (json) => {
          for (const [path, value] of changes) {
            const parent = path.slice(0, -1).reduce((at, key) => at?.[key], json);
            if (typeof parent === "object" && parent !== null) parent[path.at(-1)!] = structuredClone(value);
          }
        });
        outcome(bytes);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test.skipIf(tensors.size === 0)("with any of its tensors replaced", () => {
    const shapes: (number[] | undefined)[] = [undefined, [], [0], [1], [2], [5, 9], [65536, 0], [0, 9]];
    const change = fc.tuple(
      fc.constantFrom(...tensors.keys()),
      fc.constantFrom<DType[]>("f32", "i8", "u8", "i32", "bool"),
      fc.constantFrom(...shapes),
      fc.constantFrom(0, 1, -1, 0.5, Number.NaN, Infinity, 1e-45, 3e38),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
        const bytes = forged(graph, (_, own) => {
          for (const [name, dtype, wanted, fill] of changes) {
            const shape = wanted ?? tensors.get(name)!.shape;
            const element = dtype === "bool" ? 1 : fill;
            own.set(name, tensor(dtype, shape, new Array<number>(sizeOf(shape)).fill(element)));
          }
        });
        outcome(bytes);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

/** The first row of an operator. */
const row = (json: Json, op: string): Json => json.nodes.find((one: Json) => one[0] === op);
const attribute =
  (op: string, values: Readonly<Record<string, unknown>>): Edit =>
  (json) =>
    Object.assign(row(json, op)[2], values);
/** Another number or type of the scale (0) or zero point (1) of a layer's result. */
const result =
  (op: string, field: 0 | 1, at: "dtype" | "number", value: unknown): Edit =>
  (json) => {
    const name = row(json, op)[5][1][field];
    const scalar = json.scalars.find(([own]: Json) => own === name);
    scalar[at === "dtype" ? 1 : 3] = value;
  };
const inputs =
  (field: number, value: unknown): Edit =>
  (json) => {
    for (const input of json.inputs) input[field] = value;
  };
/** One scale for all codes. */
const scales =
  (value: number): Edit =>
  (json) => {
    for (const scalar of json.scalars) if (scalar[1] === "f32") scalar[3] = value;
  };
const constant =
  (name: string, value: Tensor): Edit =>
  (_, tensors) => {
    tensors.set(name, value);
  };
const far = 2 ** 40;
const terms = Array.from({ length: 40 }, (_, i) => `${"a".repeat(99)}${i}+b${i}`);

type Case = readonly [graph: Graph, edit: Edit, code: OctetteError["code"], message: RegExp];
const cases: Record<string, Case> = {
  "a fractional dimension": [addition, inputs(2, [1.5]), "format", /not a dimension: got 1.5/],
  "an infinite dimension": [addition, inputs(2, [Infinity]), "format", /not a dimension/],
  "a dimension that is a formula": [addition, inputs(2, ["a*b"]), "format", /not a dimension: got "a\*b"/],
  "a million dimensions": [addition, inputs(2, new Array(1e6).fill(1)), "format", /more than 64 dimensions/],
  "more than memory": [addition, inputs(2, [2 ** 20, 2 ** 20]), "limit", /does not fit into 32-bit memory/],
  "nothing, but a lot of it": [sources.Sigmoid!, inputs(2, [2 ** 31, 0]), "limit", /MAX_EMPTY/],
  "a symbol that objects have": [
    sources.Softmax!,
    inputs(2, ["constructor", Infinity]),
    "format",
    /dimension/,
  ],
  "a node twice": [floatNetwork, (json) => json.nodes.push(json.nodes[0]), "format", /another node has this/],
  "an unknown operator": [
    floatNetwork,
    (json) => {
      row(json, "Conv")[0] = "toString";
    },
    "unsupported",
    /not in this runtime: toString/,
  ],
  "absent weights": [
    network,
    (_, tensors) => tensors.delete("stem_w_codes"),
    "format",
    /"stem_w_codes" is produced by no node/,
  ],
  "weights of floats": [
    network,
    constant("stem_w_codes", tensor("f32", [16, 3, 3, 3], [])),
    "graph",
    /codes of this type are not supported/,
  ],
  "float weights of codes": [
    floatNetwork,
    constant("stem_w", tensor("i8", [16, 3, 3, 3], [])),
    "graph",
    /f32, got i8/,
  ],
  "a float bias of codes": [floatNetwork, constant("y_b", tensor("u8", [10], [])), "graph", /f32, got u8/],
  "a bias of bytes": [
    network,
    constant("logits_b_codes", tensor("i8", [10], [])),
    "graph",
    /those of a bias: expected i32, got i8/,
  ],
  "integers instead of codes": [addition, inputs(1, "i32"), "graph", /expected f32, got i32/],
  "scale 0": [addition, scales(0), "graph", /a scale is a positive number/],
  "a negative scale": [addition, scales(-1), "graph", /a scale is a positive number/],
  "an infinite scale": [addition, result("Add", 0, "number", Infinity), "format", /an element is no f32/],
  "a scale that is text": [
    addition,
    result("Add", 0, "number", "NaN"),
    "format",
    /an element is not a number/,
  ],
  "weight scales that are NaN": [
    network,
    constant("stem_w_scale", tensor("f32", [16], new Array(16).fill(Number.NaN))),
    "graph",
    /a scale is a positive number: .* got f32, NaN/,
  ],
  "fewer scales than channels": [
    network,
    constant("stem_w_scale", tensor("f32", [3], [1, 1, 1])),
    "graph",
    /zero points do not fit its codes and scales: expected 3 of i8/,
  ],
  "a zero point that is no code": [
    addition,
    result("Add", 1, "number", 256),
    "format",
    /an element is no i8/,
  ],
  "a layer without codes": [
    addition,
    (json) => {
      row(json, "Add")[5][0] = [null, null];
    },
    "format",
    /an integer layer that reads no codes/,
  ],
  "a layer that reads floats too": [
    addition,
    (json) => {
      row(json, "Add")[3][1] = json.inputs[1][0];
      row(json, "Add")[5][0][1] = null;
    },
    "graph",
    /got no codes/,
  ],
  "a layer of floats as codes": [
    addition,
    (json) => {
      row(json, "Add")[3][1] = json.inputs[1][0];
    },
    "graph",
    /codes of this type are not supported/,
  ],
  "a scale of another type": [addition, result("Add", 0, "dtype", "i32"), "format", /an element is no i32/],
  "a computed scale that must be known": [
    dynamic,
    (json) => {
      const linear = row(json, "Linear");
      linear[5][1] = linear[5][0][0].slice(0, 2);
    },
    "graph",
    /scale and zero point must be constants/,
  ],
  "a window without end": [pool, attribute("AveragePool", { kernel_shape: [far, 1] }), "graph", /MAX_WINDOW/],
  "a fractional window": [pool, attribute("AveragePool", { kernel_shape: [1.5, 1] }), "graph", /got 1.5/],
  "strides without end": [pool, attribute("AveragePool", { strides: [far, 1] }), "graph", /MAX_WINDOW/],
  "fractional strides": [pool, attribute("AveragePool", { strides: [0.5, 0.5] }), "graph", /whole numbers/],
  "no stride": [pool, attribute("AveragePool", { strides: [0, 1] }), "graph", /must be positive/],
  "pads without end": [pool, attribute("AveragePool", { pads: [far, 0, 0, 0] }), "graph", /MAX_WINDOW/],
  "negative pads": [pool, attribute("AveragePool", { pads: [-1, 0, 0, 0] }), "graph", /does not fit into/],
  "the largest window there is": [
    pool,
    attribute("AveragePool", { kernel_shape: [2 ** 24, 2 ** 24], pads: new Array(4).fill(2 ** 24) }),
    "limit",
    /32-bit memory/,
  ],
  "half a group": [
    sources["grouped convolution"]!,
    attribute("Conv", { group: 0.5 }),
    "graph",
    /group is not/,
  ],
  "no group": [sources["grouped convolution"]!, attribute("Conv", { group: 0 }), "graph", /group is not/],
  "strides that are text": [
    network,
    attribute("Conv", { strides: "1,1" }),
    "graph",
    /expected a list of numbers/,
  ],
  "an axis outside": [network, attribute("Concat", { axis: 7 }), "graph", /axis outside/],
  "a reduced axis outside": [reduced, attribute("ReduceMean", { axes: [7] }), "graph", /axis outside/],
  "a fractional slice": [sliced, attribute("Slice", { starts: [0.5, 0] }), "graph", /whole numbers/],
  "a slice in steps of nothing": [sliced, attribute("Slice", { steps: [0, 1] }), "graph", /not 0/],
  "pads of more than there is": [padded, attribute("Pad", { pads: [0, far, 0, 0, 0, 0] }), "graph", /border/],
  "a dimension that is never above 0": [
    expanded,
    attribute("Expand", { shape: ["batch", "5+-9*batch", 3] }),
    "graph",
    /dimension is negative/,
  ],
  "a function of dimensions that there is not": [
    expanded,
    attribute("Expand", { shape: ["batch", "power(batch,9)", 3] }),
    "graph",
    /unknown function/,
  ],
  "formulas that multiply": [
    expanded,
    attribute("Expand", { shape: [...terms, 1, 1, 1] }),
    "limit",
    /MAX_DIM_LENGTH/,
  ],
};

describe("the rule is named", () => {
  test.each(Object.entries(cases))("%s", (_, [graph, edit, code, message]) => {
    const error = outcome(forged(graph, edit));
    expect(error?.message).toMatch(message);
    expect(error?.code).toBe(code);
  });

  test("a layer of ten thousand operands takes no longer than any", () => {
    const edit: Edit = (json) => {
      const add = row(json, "Add");
      add[3] = new Array(10_000).fill(add[3][0]);
      add[5][0] = new Array(10_000).fill(add[5][0][0]);
    };
    outcome(forged(addition, edit));
  });
});
