// Values that share memory: results in place of inputs, outputs that are inputs seen otherwise, values read twice or
// again later. Small graphs against the reference, and random ones against themselves with nothing shared.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { expectClose, expectSameBytes, randomFeeds } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { runReference } from "../reference/index";
import { engineClasses, withModel } from "./engines";

const IMAGE = ["batch", 4, 2, 3] as const;
const ELEMENTS = 24;

/** A builder with steps that keep images [batch, 4, 2, 3] and vectors [batch, 24] what they are. */
class Sketch extends GraphBuilder {
  #made = 0;

  name(stem = "v"): string {
    return `${stem}${this.#made++}`;
  }

  unary(op: string, x: string, attributes = {}): string {
    return this.node(op, [x], this.name(), attributes);
  }

  binary(op: string, a: string, b: string): string {
    return this.node(op, [a, b], this.name());
  }

  /** Makes its result channels-last. */
  conv(x: string): string {
    const w = this.floats(this.name("w"), [4, 4, 3, 3], 0.3);
    return this.node("Conv", [x, w], this.name(), { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  }

  flatten = (x: string): string => this.unary("Flatten", x);
  unflatten = (x: string): string => this.unary("Reshape", x, { shape: ["batch", 4, 2, 3] });

  /** Two images one behind the other, of which `from` … from + 4 channels are left. */
  joined(a: string, b: string, from: number): string {
    const both = this.node("Concat", [a, b], this.name(), { axis: 1 });
    return this.unary("Slice", both, { starts: [from], ends: [from + 4], axes: [1], steps: [1] });
  }

  coded(x: string): string {
    const q = this.quantize(this.node("Identity", [x], this.name("r")), this.range());
    return this.dequantize(q, this.name());
  }

  turned(x: string): string {
    return this.unary("Transpose", this.unary("Transpose", x, { perm: [0, 2, 3, 1] }), {
      perm: [0, 3, 1, 2],
    });
  }
}

function expectRight(graph: Graph): void {
  const feeds = randomFeeds(graph, 3);
  const expected = runReference(graph, feeds);
  for (const engineClass of engineClasses)
    withModel(graph, { engineClass, maxima: { batch: 3 } }, (model) => {
      const first = model.runSync(feeds);
      const second = model.runSync(feeds);
      for (const name of graph.outputs) {
        expectClose(first[name], expected.get(name)!, name);
        expectSameBytes(second[name], first[name]!, `${name}, run again`);
      }
    });
}

const sketches: Record<string, (s: Sketch, x: string) => readonly string[]> = {
  "an output that is an input": (_, x) => [x],
  "an output that is an input seen otherwise": (s, x) => [s.flatten(x)],
  "an input that is an output and is overwritten by nothing": (s, x) => [x, s.unary("Relu", x)],
  "two outputs that are one value": (s, x) => {
    const y = s.unary("Relu", x);
    return [s.unary("Identity", y), s.flatten(y), y];
  },
  "an output that is named twice": (s, x) => {
    const y = s.unary("Neg", x);
    return [y, y];
  },
  "an input read by two steps that could take its place": (s, x) => [s.unary("Relu", x), s.unary("Neg", x)],
  "an output that is read again": (s, x) => {
    const y = s.unary("Relu", x);
    return [s.unary("Neg", y), y];
  },
  "an output that is read again through an alias": (s, x) => {
    const y = s.unary("Relu", x);
    return [s.unary("Neg", s.unary("Identity", s.flatten(y))), y];
  },
  "a value that is read again after its alias was": (s, x) => {
    const y = s.unary("Relu", x);
    const z = s.unary("Neg", s.flatten(y));
    return [s.binary("Add", s.unflatten(z), y)];
  },
  "an alias that is read again after its value was": (s, x) => {
    const y = s.unary("Relu", x);
    const flat = s.flatten(y);
    const z = s.unary("Neg", y);
    return [s.binary("Add", s.flatten(z), flat)];
  },
  "a value read twice by one step": (s, x) => {
    const y = s.unary("Relu", x);
    return [s.binary("Mul", s.binary("Add", y, y), y)];
  },
  "a value and its alias read by one step": (s, x) => {
    const y = s.unary("Neg", x);
    return [s.binary("Sub", s.unary("Identity", y), y), s.binary("Add", y, s.unary("Identity", y))];
  },
  "a second operand of the result's shape": (s, x) => {
    const one = s.constant("one", tensor("f32", [1], [1]));
    return [s.binary("Sub", one, s.unary("Relu", x)), s.binary("Div", one, s.unary("Exp", x))];
  },
  "rows joined with themselves and with an output": (s, x) => {
    const y = s.unary("Relu", x);
    return [s.joined(y, y, 2), s.joined(x, y, 3), y];
  },
  "a channels-last image that is output, flattened, and read again": (s, x) => {
    const y = s.conv(x);
    return [y, s.flatten(y), s.unary("Relu", y), s.conv(y)];
  },
  "an image that is turned without being moved": (s, x) => {
    const y = s.conv(x);
    const turned = s.unary("Transpose", y, { perm: [0, 2, 3, 1] });
    return [s.unary("Relu", turned), s.unary("Neg", y)];
  },
  "a flattened image that is overwritten, and read again as an image": (s, x) => {
    const flat = s.flatten(s.conv(x));
    return [s.unary("Relu", flat), s.conv(s.unflatten(flat))];
  },
  "a constant image added to a channels-last one": (s, x) => [
    s.binary("Add", s.conv(x), s.floats("c", [1, 4, 2, 3], 1)),
    s.binary("Mul", s.floats("d", [1, 4, 1, 3], 1), s.conv(x)),
    s.binary("Add", s.conv(x), s.floats("e", [4, 2, 3], 1)),
    s.binary("Add", s.conv(x), s.floats("f", [2, 3], 1)),
  ],
  "a value whose name is that of a converted one": (s, x) => {
    const y = s.conv(x);
    const z = s.node("Neg", [x], `${y}@plain`);
    return [s.unary("Reshape", y, { shape: ["batch", 6, 4] }), s.binary("Add", s.unary("Relu", z), z)];
  },
  "codes of an output": (s, x) => {
    const y = s.unary("Relu", x);
    return [s.coded(y), y, s.unary("Neg", y)];
  },
};

/** `Split` into `parts` along the channels, for which the builder has no step of its own. */
function split(graph: Graph, x: string, parts: readonly string[]): Graph {
  const node = { op: "Split", name: "split", inputs: [x], outputs: parts, attributes: { axis: 1 } };
  const before = graph.nodes.findIndex(({ outputs }) => outputs.includes(x)) + 1;
  return { ...graph, nodes: [...graph.nodes.slice(0, before), node, ...graph.nodes.slice(before)] };
}

describe("shared memory never changes a result", () => {
  for (const [name, sketch] of Object.entries(sketches))
    test(name, () => {
      const builder = new Sketch(3);
      const outputs = sketch(builder, builder.input("x", IMAGE));
      expectRight(builder.build(...outputs));
    });

  test("parts of a value that is read again", () => {
    const s = new Sketch(3);
    const y = s.unary("Neg", s.input("x", IMAGE));
    const graph = s.build(s.unary("Relu", "a"), s.unary("Neg", "b"), y);
    expectRight(split(graph, y, ["a", "b"]));
  });

  test("codes added to themselves, joined with themselves, and to constant codes of both types", () => {
    for (const codes of ["u8", "i8"] as const) {
      const s = new Sketch(7);
      const q = s.quantize(s.input("x", IMAGE), s.range(codes));
      const range = s.range(codes);
      const shape = [3, 4, 2, 3];
      const values = Array.from(
        { length: 3 * ELEMENTS },
        () => s.random.below(256) - (codes === "i8" ? 128 : 0),
      );
      const fixed = { ...q, codes: s.constant("fixed", tensor(codes, shape, values)) };
      const batch = s.quantize(s.input("z", shape), s.range(codes));
      const results = [
        s.layer("Add", [q, q], "twice", { range }),
        s.layer("Concat", [q, q], "joined", { attributes: { axis: 1 }, range }),
        s.layer("Add", [batch, fixed], "moved", { range, activation: "Relu" }),
      ];
      const graph = s.build(...results.map((coded, i) => s.dequantize(coded, `y${i}`)));
      const feeds = randomFeeds(graph, 3);
      const expected = runReference(graph, feeds);
      for (const engineClass of engineClasses)
        withModel(graph, { engineClass, maxima: { batch: 3 } }, (model) => {
          for (const [name, y] of Object.entries(model.runSync(feeds)))
            expectSameBytes(y, expected.get(name)!, `${name} of ${codes}`);
        });
    }
  });
});

/** A graph of `steps` random steps over images and vectors, each reading any value made before it. */
function randomGraph(seed: number, steps: number): Graph {
  const s = new Sketch(seed);
  const { below } = s.random;
  const images = [s.input("x", IMAGE), s.input("y", IMAGE)];
  const vectors = [s.flatten(images[0]!)];
  const pick = (from: readonly string[]) => from[below(2) ? from.length - 1 : below(from.length)]!;
  const op = (...ops: string[]) => ops[below(ops.length)]!;
  const moves: (() => void)[] = [
    () => images.push(s.unary(op("Relu", "Neg", "Tanh", "Identity"), pick(images))),
    () => vectors.push(s.unary(op("Relu", "Neg", "Softmax", "Identity"), pick(vectors))),
    () => images.push(s.binary(op("Add", "Sub", "Mul"), pick(images), pick(images))),
    () => vectors.push(s.binary(op("Add", "Sub", "Mul"), pick(vectors), pick(vectors))),
    () => images.push(s.conv(pick(images))),
    () => images.push(s.joined(pick(images), pick(images), below(5))),
    () => images.push(s.binary("Add", pick(images), s.floats(s.name("c"), [1, 4, 2, 3], 1))),
    () => images.push(s.turned(pick(images))),
    () => images.push(s.coded(pick(images))),
    () => vectors.push(s.flatten(pick(images))),
    () => images.push(s.unflatten(pick(vectors))),
  ];
  for (let i = 0; i < steps; i++) moves[below(moves.length)]!();
  const outputs = new Set([images.at(-1)!, vectors.at(-1)!, pick(images), pick(vectors)]);
  return s.build(...outputs);
}

test("two hundred random graphs give the same bytes as with every value kept apart, and what the reference gives", () => {
  for (let seed = 0; seed < 200; seed++) {
    const graph = randomGraph(seed, 14);
    const feeds = randomFeeds(graph, 2, seed);
    const all = graph.nodes.flatMap(({ outputs }) => outputs);
    const [shared, apart] = [[], all].map((taps) =>
      withModel(graph, { maxima: { batch: 2 }, taps }, (model) => ({
        outputs: model.runSync(feeds),
        arena: model.plan.memory.arenaBytes,
      })),
    );
    expect(shared!.arena).toBeLessThanOrEqual(apart!.arena);
    const expected = runReference(graph, feeds);
    for (const name of graph.outputs) {
      expectSameBytes(shared!.outputs[name], apart!.outputs[name]!, `seed ${seed}, ${name}`);
      // A code at a half step may round the other way; what is computed from it is off by as much.
      if (!graph.nodes.some(({ op }) => op === "QuantizeLinear"))
        expectClose(shared!.outputs[name], expected.get(name)!, `seed ${seed}, ${name}`, 1e-3);
    }
  }
});
