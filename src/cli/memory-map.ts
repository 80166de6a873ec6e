// Where each buffer of a model's plan lies, and from which step to which: addresses over steps.

import { lowerGraph } from "../engine/compile";
import { planMemory } from "../engine/memory";
import type { Model } from "../engine/model";
import { evaluateDim } from "../graph/symbols";
import { toolkit } from "../toolkit/toolkit";

/** A part of the arena, and the steps that need it. */
export interface MemoryBlock {
  /** The input that lies in it, or the node that writes to it first. */
  readonly name: string;
  /** Bytes from the beginning of the arena. */
  readonly at: number;
  readonly bytes: number;
  /** First and last step that need it; −1 is the time before the first. */
  readonly first: number;
  readonly last: number;
}

export interface PlanMap {
  /** The node of each step, in the order in which they run. */
  readonly steps: readonly string[];
  readonly blocks: readonly MemoryBlock[];
  readonly arenaBytes: number;
  readonly constantBytes: number;
}

/** The map of a model's plan; undefined where only a run knows the sizes, for each of which there is another plan. */
export function memoryMap({ graph, plan }: Model): PlanMap | undefined {
  const { engineClass, maxima, sizes, pauses, open, memory } = plan;
  if (open || pauses.length > 0 || Object.keys(sizes).length > 0) return undefined;
  const { c } = lowerGraph(graph, { registry: toolkit.ops, engineClass, maxima });
  const steps = c.steps.map(({ node }) => node);
  const inputs = new Map(graph.inputs.map(({ name }) => [c.addressOf(name).buffer, name]));
  const most = (dim: Parameters<typeof evaluateDim>[0]) => evaluateDim(dim, maxima);
  const buffers = c.buffers.map((buffer) => {
    const { bytes, first } = buffer;
    return {
      ...buffer,
      bytes: typeof bytes === "function" ? bytes(most) : most(bytes),
      name: inputs.get(buffer) ?? steps[first] ?? "",
    };
  });
  const { addresses, arenaAt } = planMemory(buffers, c.stagingBytes);
  const blocks = buffers
    .filter(({ area, bytes, first, last }) => area === "arena" && bytes > 0 && first <= last)
    .map((buffer) => ({
      name: buffer.name,
      at: addresses.get(buffer)! - arenaAt,
      bytes: buffer.bytes,
      first: buffer.first,
      last: Math.min(buffer.last, steps.length - 1),
    }));
  return { steps, blocks, arenaBytes: memory.arenaBytes, constantBytes: memory.constantBytes };
}
