// One process of the attack: does the items of a range one after the other, and tells each of them before and after. What it is
// told to do ends it where an item hangs or takes the process down: whoever started it sees which one.

import { onnxFile } from "../formats/onnx/model-file";
import { graphCase } from "./graph-case";
import { mutationCase } from "./mutation-case";
import { openPeer } from "./peer";

export interface Task {
  readonly kind: "graphs" | "mutations";
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly only: readonly string[];
  /** Path of the package's main script, and of ONNX Runtime's. */
  readonly octette: string;
  readonly peer: string;
}

export interface Result {
  readonly index: number;
  /** Operator or format. */
  readonly group: string;
  readonly is: string;
  readonly note?: string;
  /** Bytes that show a finding, by ending. */
  readonly files?: Readonly<Record<string, string>>;
}

export type Message = { readonly at: number; readonly phase: string } | Result;

const task = JSON.parse(process.argv[2]!) as Task;
const octette = await import(task.octette);
// Models are loaded at once below.
await octette.preload();
/** A size that only a run finds: what plans such models is loaded with the first. */
await octette.load(onnxFile({ nodes: [{ op: "NonZero", inputs: ["x"], outputs: ["y"] }] }));
const send = (message: Message) => new Promise((resolve) => process.send!(message, resolve));
const peer = task.kind === "graphs" ? await openPeer(task.peer) : undefined;

for (let index = task.from; index < task.to; index++) {
  await send({ at: index, phase: "octette" });
  const result = peer
    ? await graphCase(octette, peer, task, index, () => send({ at: index, phase: "peer" }))
    : await mutationCase(octette, task, index);
  await send(result);
}
process.exit(0);
