// Models as PyTorch writes them: modules that hold modules, and a forward() in terms of theirs. A module computes nothing
// by itself: forward() is traced to a graph, and that is what is quantized, trained, saved and run.

import { OctetteError } from "../errors";
import type { Attribute } from "../graph/graph";
import { Random } from "../graph/random";
import { formatShape } from "../graph/symbols";
import { type Tensor, tensor } from "../graph/tensor";
import type { Value } from "./value";

/** Tensors by the names PyTorch gives them, such as "features.0.weight". */
export type StateDict = ReadonlyMap<string, Tensor>;

/**
 * A model or a part of one. Modules in properties, or in arrays there, are its parts, and the names of the properties
 * those of their weights:
 *
 *     class Net extends Module {
 *       readonly fc = new Linear(10, 10);
 *       forward(x: Value): Value {
 *         return this.fc.forward(x);
 *       }
 *     }
 */
export abstract class Module {
  /** What it makes of `x`, written in terms of its parts. Called once, when the model is traced. */
  abstract forward(x: Value): Value;

  /** The modules it holds, by name. */
  children(): [name: string, module: Module][] {
    return Object.entries(this).flatMap(([name, held]: [string, unknown]) => {
      const all = Array.isArray(held) ? held.map((one, i) => [`${name}.${i}`, one]) : [[name, held]];
      return all.filter((entry): entry is [string, Module] => entry[1] instanceof Module);
    });
  }

  /**
   * Fills all weights anew, as PyTorch does when a layer is made, from one seed: the same seed gives the same weights on every
   * engine. A model that is used before it has any is initialised with seed 0.
   */
  initialize(seed = 0): this {
    for (const [i, layer] of [...layersOf(this).values()].entries()) layer.initializeOwn(seedOf(seed, i));
    return this;
  }

  /** Copies of all weights and statistics. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [name, { data, shape }] of numbersOf(this)) state.set(name, tensor("f32", shape, data));
    return state;
  }

  /**
   * Takes weights and statistics, copied: those of `stateDict()`, of a trained graph (`graph.constants`), or PyTorch's own from a
   * .npz or .safetensors file. Throws where one is missing or has another shape; what the model does not have is left alone.
   */
  loadStateDict(state: StateDict): this {
    const wrong: string[] = [];
    const own = numbersOf(this);
    for (const [name, { shape }] of own) {
      const given = state.get(name);
      if (given?.dtype !== "f32" || formatShape(given.shape) !== formatShape(shape))
        wrong.push(
          `"${name}" f32 ${formatShape(shape)}: ${given ? `${given.dtype} ${formatShape(given.shape)}` : "missing"}`,
        );
    }
    if (wrong.length > 0)
      throw new OctetteError("the weights are not those of this model", {
        code: "argument",
        where: "loadStateDict",
        got: wrong.join(", "),
        hint: `It has ${[...own.keys()].map((name) => `"${name}"`).join(", ")}`,
      });
    for (const [name, { data }] of own) data.set(state.get(name)!.data);
    return this;
  }

  /** PyTorch's switch for evaluation. A module is always traced as it is deployed, so there is nothing to switch. */
  eval(): this {
    return this;
  }
}

/** A module that is a node of the graph: it has numbers instead of parts. */
export abstract class Layer extends Module {
  #numbers: Readonly<Record<string, Tensor>> | undefined;

  /**
   * Its weights and statistics as PyTorch makes them, by PyTorch's names.
   * @internal
   */
  protected fresh(_random: Random): Readonly<Record<string, Tensor>> {
    return {};
  }

  /** @internal */
  initializeOwn(seed: number): void {
    this.#numbers = this.fresh(new Random(seed));
  }

  /**
   * Its numbers, made with `seed` where there are none yet.
   * @internal
   */
  numbers(seed: number): Readonly<Record<string, Tensor>> {
    if (!this.#numbers) this.initializeOwn(seed);
    return this.#numbers!;
  }

  /**
   * What errors and nodes call it: its place in the model that is traced.
   * @internal
   */
  protected path({ recording }: Value): string {
    return recording.pathOf(this) || "layer";
  }

  /**
   * Writes a node of this layer beside x. Its inputs are values, or names of the layer's own numbers.
   * @internal
   */
  protected record(
    x: Value,
    op: string,
    inputs: readonly (Value | string)[],
    attributes: Readonly<Record<string, Attribute>> = {},
    suffix = "",
  ): Value {
    const { recording } = x;
    const path = recording.pathOf(this);
    const operands = inputs.map((input) => {
      if (typeof input !== "string") return input;
      const { dtype, shape, data } = this.numbers(0)[input]!;
      return recording.constant(joined(path, input), tensor(dtype, shape, data));
    });
    return recording.node(op, this.path(x) + suffix, operands, attributes);
  }
}

const joined = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);

/** A seed for each layer of a model, so that none depends on how many numbers others take. */
const seedOf = (seed: number, layer: number) =>
  Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(layer, 0x85ebca6b);

/** Every layer once, in order, with its path. */
export function layersOf(model: Module): Map<string, Layer> {
  const layers = new Map<string, Layer>();
  const seen = new Set<Module>();
  const visit = (module: Module, path: string) => {
    if (seen.has(module)) return;
    seen.add(module);
    if (module instanceof Layer) layers.set(path, module);
    for (const [name, child] of module.children()) visit(child, joined(path, name));
  };
  visit(model, "");
  return layers;
}

/** Every weight and statistic of a model, in place. Layers that have none yet are initialised. */
export function numbersOf(model: Module): Map<string, Tensor> {
  const all = new Map<string, Tensor>();
  for (const [i, [path, layer]] of [...layersOf(model)].entries())
    for (const [name, value] of Object.entries(layer.numbers(seedOf(0, i))))
      all.set(joined(path, name), value);
  return all;
}
