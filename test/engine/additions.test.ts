// Which additions a layer does in its last step, and that nobody sees it but in the plan.

import { describe, expect, test } from "vitest";
import { ADD } from "../../assembly/int8/sizes";
import type { Plan } from "../../src/engine/plan";
import type { Graph } from "../../src/graph/graph";
import type { Dim } from "../../src/graph/symbols";
import { tensor } from "../../src/graph/tensor";
import { expectSameBytes, type Fill, randomFeeds } from "../check-model";
import { type Activation, type Coded, GraphBuilder, type Range } from "../graph-builder";
import { runReference } from "../reference/index";
import { engineClasses, withModel, withModelInParts } from "./engines";

const BATCH = 3;

/** Images [batch, channels, 7, 6] of codes, convolutions that keep them, and their sums. */
class Sketch extends GraphBuilder {
  readonly x: Coded;
  #made = 0;

  constructor(
    readonly channels = 5,
    readonly h = 7,
    readonly w = 6,
  ) {
    super(channels);
    this.x = this.quantize(this.input("x", ["batch", channels, h, w]));
  }

  conv(
    x: Coded,
    options: {
      readonly k?: number;
      readonly group?: number;
      readonly activation?: Activation;
      readonly bias?: boolean;
    } = {},
  ): Coded {
    const { k = 3, group = 1, activation, bias = true } = options;
    const name = `c${this.#made++}`;
    const products = (this.channels / group) * k * k;
    const w = this.weights(`${name}_w`, [this.channels, this.channels / group, k, k], 0);
    const pads = Array(4).fill((k - 1) / 2);
    return this.layer("Conv", bias ? [x, w, this.bias(`${name}_b`, w, products)] : [x, w], name, {
      attributes: { kernel_shape: [k, k], pads, group },
      activation,
      range: {
        ...this.range(),
        scale: Math.fround(x.range!.scale * w.scales![0]! * Math.sqrt(products) * 90),
      },
    });
  }

  add(a: Coded, b: Coded, activation?: Activation, range: Range = this.range()): Coded {
    return this.layer("Add", [a, b], `s${this.#made++}`, { activation, range });
  }

  ends(...codes: readonly Coded[]): Graph {
    return this.build(...codes.map((coded, i) => this.dequantize(coded, `y${i}`)));
  }
}

/** Steps over codes, and whether the epilogue of a layer's adds. */
const kernelsOf = (graph: Graph, taps: readonly string[] = []) =>
  withModel(graph, { maxima: { batch: BATCH }, taps }, ({ plan }) =>
    plan.steps
      .filter(({ kernel }) => kernel.includes("Int8"))
      .map(({ kernel, args }) =>
        kernel !== "addInt8" && isAdding(plan, args) ? `${kernel}, adding` : kernel,
      ),
  );

const isAdding = ({ loads }: Plan, args: readonly Dim[]) => {
  const [copy] = loads.flatMap(({ copies }) => copies.filter(({ at }) => at === args.at(-1)));
  return copy !== undefined && "numbers" in copy && copy.numbers[0] === ADD;
};

const fills: readonly Fill[] = ["random", "min", "max", "extremes"];

async function expectExact(graph: Graph, taps: readonly string[] = []): Promise<void> {
  for (const fill of fills) {
    const feeds = randomFeeds(graph, BATCH, 3, fill);
    const expected = runReference(graph, feeds);
    for (const engineClass of engineClasses) {
      for (const batch of [1, 2, BATCH])
        withModel(graph, { engineClass, maxima: { batch }, taps }, (model) => {
          for (const [name, y] of Object.entries(model.runSync(feeds)))
            expectSameBytes(y, expected.get(name)!, `${name}, ${engineClass}, ${fill}, batch ${batch}`);
        });
      await withModelInParts(graph, { engineClass, maxima: { batch: BATCH }, taps }, (model) => {
        for (const [name, y] of Object.entries(model.runSync(feeds)))
          expectSameBytes(y, expected.get(name)!, `${name}, ${engineClass}, ${fill}, in parts`);
      });
    }
  }
}

const fused: Record<string, () => readonly [graph: Graph, kernels: readonly string[]]> = {
  "a 3×3 convolution and what it read": () => {
    const s = new Sketch();
    return [s.ends(s.add(s.conv(s.x), s.x)), ["convInt8, adding"]];
  },
  "the operands the other way round, with activations, without a bias": () => {
    const s = new Sketch(17);
    const c = s.conv(s.x, { activation: "Relu", bias: false });
    return [s.ends(s.add(s.x, c, "Clip")), ["convInt8, adding"]];
  },
  "a 1×1 convolution": () => {
    const s = new Sketch(9);
    return [s.ends(s.add(s.x, s.conv(s.x, { k: 1 }), "Relu")), ["gemmInt8, adding"]];
  },
  "a 1×1 convolution of one pixel": () => {
    const s = new Sketch(40, 1, 1);
    return [s.ends(s.add(s.conv(s.x, { k: 1 }), s.x)), ["gemmInt8, adding"]];
  },
  "two convolutions: the later one adds": () => {
    const s = new Sketch(8);
    const [a, b] = [s.conv(s.x), s.conv(s.x, { k: 1 })];
    return [s.ends(s.add(a, b)), ["convInt8", "gemmInt8, adding"]];
  },
  "blocks in a row": () => {
    const s = new Sketch(6);
    const one = s.add(s.conv(s.conv(s.x)), s.x, "Relu");
    return [
      s.ends(s.add(s.conv(s.conv(one)), one)),
      ["convInt8", "convInt8, adding", "convInt8", "convInt8, adding"],
    ];
  },
  "another value that is read again later": () => {
    const s = new Sketch(4);
    const other = s.conv(s.x, { k: 1 });
    return [s.ends(s.add(s.conv(s.x), other), other), ["gemmInt8", "convInt8, adding"]];
  },
};

describe("an addition is done by the convolution before it, to the same bytes", () => {
  for (const [name, make] of Object.entries(fused))
    test(name, async () => {
      const [graph, kernels] = make();
      expect(kernelsOf(graph)).toEqual(kernels);
      await expectExact(graph);
    });
});

const apart: Record<string, () => Graph> = {
  "whose codes are read twice": () => {
    const s = new Sketch();
    const c = s.conv(s.x);
    return s.ends(s.add(c, s.x), c);
  },
  "whose codes are added to themselves": () => {
    const s = new Sketch();
    const c = s.conv(s.x);
    return s.ends(s.add(c, c));
  },
  "whose codes are an output": () => {
    const s = new Sketch();
    const c = s.conv(s.x);
    const { codes } = s.add(c, s.x);
    return s.build(codes, c.codes);
  },
  "whose codes are read by another scale": () => {
    const s = new Sketch();
    const scale = s.constant("else", tensor("f32", [], [0.5]));
    return s.ends(s.add({ ...s.conv(s.x), scale }, s.x));
  },
  "whose codes are read by another zero point": () => {
    const s = new Sketch();
    const zeroPoint = s.constant("else", tensor("u8", [], [250]));
    return s.ends(s.add({ ...s.conv(s.x), zeroPoint }, s.x));
  },
  "with a filter a channel": () => {
    const s = new Sketch();
    return s.ends(s.add(s.conv(s.x, { group: 5 }), s.x));
  },
  "in groups": () => {
    const s = new Sketch(6);
    return s.ends(s.add(s.conv(s.x, { group: 2 }), s.x));
  },
  "to sums of too many steps": () => {
    const s = new Sketch();
    return s.ends(s.add(s.conv(s.x), s.x, undefined, { scale: 1e-9, zeroPoint: 7, dtype: "u8" }));
  },
};

describe("nothing is added by a convolution", () => {
  for (const [name, make] of Object.entries(apart))
    test(name, async () => {
      const graph = make();
      expect(kernelsOf(graph)).toContain("addInt8");
      await expectExact(graph);
    });

  test("whose codes are tapped, and the bytes are the same", async () => {
    const s = new Sketch();
    const c = s.conv(s.x);
    const graph = s.ends(s.add(c, s.x));
    expect(kernelsOf(graph, [c.codes])).toEqual(["convInt8", "addInt8"]);
    await expectExact(graph, [c.codes]);
  });
});
