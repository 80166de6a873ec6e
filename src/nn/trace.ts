// A module becomes a graph, as importing makes one of a file: after that nobody can tell where it came from.

import type { Graph } from "../graph/graph";
import type { Shape } from "../graph/symbols";
import { simplify } from "../passes/index";
import { toolkit } from "../toolkit/toolkit";
import { withoutDropout } from "../train/step/dropout";
import { layersOf, type Module, numbersOf } from "./module";
import { Recording } from "./value";

/**
 * The graph of a model's forward pass with the weights it has now, copied: to quantize, tune, save, load or evaluate. BatchNorm
 * is folded into its neighbours, Dropout gone. Its input is called "input", its output "output".
 *
 * `inputShape` is in PyTorch's order with a symbol for the batch, `["batch", 1, 28, 28]`; a model that begins with Linear or
 * Embedding tells it by itself.
 * @throws OctetteError that names the layer whose input does not fit.
 */
export function trace(model: Module, inputShape?: Shape, name = "model"): Graph {
  return withoutDropout(traceToTrain(model, inputShape, name));
}

/** The same with Dropout in it, to train. */
export function traceToTrain(model: Module, inputShape?: Shape, name = "model"): Graph {
  numbersOf(model);
  const paths = new Map([...layersOf(model)].map(([path, layer]) => [layer, path] as const));
  const recording = new Recording(paths, inputShape);
  return simplify(recording.graph(name, model.forward(recording.input)), toolkit.ops);
}
