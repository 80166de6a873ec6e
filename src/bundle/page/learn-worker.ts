// The worker that learns, so that the page stays free. It does what octette tune does, on the same samples to the same bytes. `octette bundle` puts
// its script together from the pieces that the model needs.

import { createDataset, type Dataset } from "../../data/dataset";
import { Model } from "../../engine/model";
import { writeDelta } from "../../formats/delta";
import { writeNpz } from "../../formats/npz";
import { readArtifact } from "../../formats/octette";
import type { Graph } from "../../graph/graph";
import { coverNumbers } from "../../passes/cover-numbers";
import { save } from "../../save";
import { toolkit } from "../../toolkit";
import { train } from "../../train/inlined";
import { tuneWith } from "../../train/run/tune";
import type { LearnNews, LearnOrder, LearnSettings, Samples, Score } from "./learn-talk";

toolkit.carry({ train });

const tell = (told: LearnNews, transfer: Transferable[] = []) => self.postMessage(told, { transfer });

let controller = new AbortController();
/** The model that was learned last. */
let tuned: Model | undefined;

const loaded = (graph: Graph) => new Model(graph, toolkit.ops, toolkit.engine);

const dataOf = ({ arrays, labels }: Samples, { inputs }: Graph): Dataset =>
  createDataset(arrays, inputs, { labels: { dtype: "i32", shape: [labels.length], data: labels } });

async function learn(name: string, samples: Samples, settings: LearnSettings): Promise<void> {
  const response = await fetch(new URL(`./${encodeURIComponent(name)}`, import.meta.url));
  const base = new Uint8Array(await response.arrayBuffer());
  const { graph } = readArtifact(base, name);
  const data = dataOf(samples, graph);
  const { signal } = controller;
  const { graph: learned, summary } = await tuneWith(
    coverNumbers(graph, data.preprocessing),
    {
      ...settings,
      data,
      signal,
      onBegin: ({ steps }) => tell({ kind: "begun", steps }),
      onStep: ({ step, loss }) => tell({ kind: "step", step, loss }),
    },
    toolkit,
  );
  const artifact = save(learned);
  const delta = writeDelta(base, artifact, { base: name, tuned: name });
  const before = scoreOf(loaded(graph), data);
  tuned?.dispose();
  tuned = loaded(learned);
  const after = scoreOf(tuned, data);
  const notes = [...summary.notes, ...summary.warnings];
  tell({ kind: "learned", artifact, delta, before, after, best: summary.best, notes }, [
    artifact.buffer,
    delta.buffer,
  ]);
}

/** Samples whose label has the largest score. */
function scoreOf(model: Model, data: Dataset): Score {
  const output = model.outputs[0]!.name;
  let [at, right] = [0, 0];
  for (const feeds of data.batches(1)) {
    const scores = model.runSync(feeds)[output]!.data as Float32Array;
    if (scores.indexOf(scores.reduce((a, b) => Math.max(a, b))) === data.labels![at++]) right++;
  }
  if (model !== tuned) model.dispose();
  return { right, of: data.count };
}

async function obey(order: LearnOrder): Promise<void> {
  if (order.kind === "stop") return controller.abort(new Error("stopped"));
  try {
    if (order.kind === "learn") {
      controller = new AbortController();
      await learn(order.model, order.samples, order.settings);
    }
    if (order.kind === "run") tell({ kind: "answered", id: order.id, outputs: tuned!.runSync(order.feeds) });
    if (order.kind === "save") {
      const { arrays, labels } = order.samples;
      const classes = { dtype: "i32", shape: [labels.length], data: labels } as const;
      const npz = writeNpz(new Map([...Object.entries(arrays), ["labels", classes]]));
      tell({ kind: "saved", npz }, [npz.buffer]);
    }
  } catch (error) {
    tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
}

self.onmessage = ({ data }: MessageEvent<LearnOrder>) => void obey(data);
tell({ kind: "ready" });
