// Graphs as artifacts, with a self-test.

import { Model } from "../engine/model";
import { checkSelfTest, selfTestHash } from "../engine/self-test";
import { writeArtifact } from "../formats/octette";
import type { Graph } from "../graph/graph";
import { checkGraph } from "../ops/check-graph";
import { checkOptions, type Names } from "../options";
import { type Toolkit, type ToolkitOptions, toolkitIn } from "./toolkit";

/** Seed of the self-test that every saved model carries. */
const SELF_TEST_SEED = 1;

/** A graph that anyone may have written. */
export function checked(graph: Graph, { ops }: Toolkit): Graph {
  checkGraph(graph, ops);
  return graph;
}

/** Options of `save`. */
export interface SaveOptions {
  /** Most memory of the model while its self-test runs it, in bytes or as a size such as "64MB"; default 1 GiB. */
  readonly maxBytes?: number | string | undefined;
  /** Whether the file has a self-test for `verify`; default true. Without one the model is not run. */
  readonly selfTest?: boolean;
}

const SAVE = { maxBytes: 1, selfTest: 1 } satisfies Names<SaveOptions>;

/**
 * Bytes of a .octette file: graph, quantization and preprocessing, with hashes and a self-test. Equal graphs give equal bytes on
 * every engine. Throws an OctetteError "limit" where the self-test would take more memory than `maxBytes`, or too long.
 */
export function save(graph: Graph, options: SaveOptions & ToolkitOptions = {}): Uint8Array<ArrayBuffer> {
  const [toolkit, own] = toolkitIn<SaveOptions>(options);
  checkOptions("save", own, SAVE);
  const { maxBytes, selfTest = true } = own;
  if (!selfTest) return writeArtifact(checked(graph, toolkit));
  const { ops, engine } = toolkit;
  const model = new Model(checked(graph, toolkit), ops, engine, {
    engineClass: "baseline",
    maxBytes,
  });
  try {
    checkSelfTest(model, ops);
    return writeArtifact(graph, {
      selfTest: { seed: SELF_TEST_SEED, hash: selfTestHash(model, SELF_TEST_SEED) },
    });
  } catch (error) {
    // Random numbers need not be a shape, or indices, that the model computes with.
    if (model.plan.pauses.length === 0) throw error;
    return writeArtifact(graph);
  } finally {
    model.dispose();
  }
}
