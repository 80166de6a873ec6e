// octette/learner: a model that learns while it serves, in workers that leave the event loop alone.

import { type BytesSource, nameOf, readBytes } from "../engine/source";
import { readArtifact } from "../formats/octette";
import { checkOptions, type Names } from "../options";
import { Learner, type LearnerOptions } from "./learner";

const NAMES = {
  maxima: 1,
  maxBytes: 1,
  maxIterations: 1,
  engineClass: 1,
  worker: 1,
  wasm: 1,
} satisfies Names<LearnerOptions>;

/**
 * A model that runs and learns in workers, with a model's API: `run`, `inputs`, `outputs`, `classes`, `dispose`. Takes an .octette from
 * anywhere that `load` does. Where no worker can be started, it works in this thread: `hasWorker` and `workerReason` say so.
 *
 *     const learner = await createLearner("digits.octette");
 *     const { logits } = await learner.run({ image });
 *     const { isBetter, summary } = await learner.tune({ data, guard: { data: heldOut }, signal });
 *     await writeFile("digits.octette", learner.save());
 *
 * @throws FormatError where the bytes are no artifact, OctetteError where the model cannot be loaded.
 */
export async function createLearner(source: BytesSource, options: LearnerOptions = {}): Promise<Learner> {
  checkOptions("createLearner", options, NAMES);
  const bytes = await readBytes(source);
  // Throws what is wrong with the file before anything is started.
  readArtifact(bytes, nameOf(source));
  return Learner.create(new Uint8Array(bytes), options);
}

export { FormatError, OctetteError } from "../errors";
export type { Guarded, LearningBegin } from "./jobs";
export type { Guard, Learned, Learner, LearnerCheckpoint, LearnerOptions, LearnOptions } from "./learner";
