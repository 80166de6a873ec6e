// octette apply: a model and a delta become the model that the delta was made of.

import { readBytes } from "../engine/source";
import { applyDelta, readArtifact } from "../index";
import { defineCommand } from "./command";
import { output } from "./options";
import { formatBytes } from "./terminal";

export const applyCommand = defineCommand({
  name: "apply",
  summary: "apply a delta to its base model, to the same bytes",
  arguments: "BASE.octette DELTA -o OUT.octette",
  positionals: ["BASE", "DELTA"],
  options: { output: output("model") },
  notes: [
    "A delta is for one base, which it names by its content hash; octette inspect shows that of a model.",
    "With --force the output may be the base itself: it is replaced, whole, once the new model is on the disk.",
  ],
  examples: [
    "octette apply digits.octette tuned.delta -o tuned.octette",
    "octette apply digits.octette tuned.delta -o digits.octette --force",
  ],
  async run([base = "", delta = ""], { output }, context) {
    await context.checkOutput(output);
    const [from, changes] = [await readBytes(base, context.signal), await readBytes(delta, context.signal)];
    const tuned = applyDelta(from, changes, { base, delta });
    const { contentHash } = readArtifact(tuned, delta);
    await context.write(output, tuned, context.signal);
    const bytes = { base: from.length, delta: changes.length, output: tuned.length };
    context.print({ base, delta, output, bytes, contentHash }, () => [
      `${formatBytes(bytes.output)}, content hash ${contentHash}`,
      `${base}, ${delta} → ${output}`,
    ]);
  },
});
