// A model of a file: in this thread or, where it may learn, in workers. Modules are loaded for the models that need them.

import { givesProbabilities } from "./answers.js";
import { Models } from "./models.js";

/** The models of this process. */
export const models = new Models(openModel);

/** Opens a model: `run`, `inputs`, `outputs`, `classes`, `isProbability`, `dispose`. One in workers also has what taught.js says. */
async function openModel({ bytes, classes, threads, worker, folder }) {
  if (worker) {
    const { openTaught } = await import("./taught.js");
    return openTaught({ bytes, classes, folder });
  }
  const isArtifact = bytes.subarray(8, 9).toString() === "{";
  const { load } = await (isArtifact ? import("octette/runtime") : import("octette"));
  const model = await load(bytes, { threads });
  return {
    run: (feeds) => model.run(feeds),
    inputs: model.inputs,
    outputs: model.outputs,
    classes: classes ?? model.classes,
    isProbability: givesProbabilities(model.graph),
    dispose: () => model.dispose(),
  };
}
