// octette apply: a model and a delta become the model that the delta was made of.

import { applyDelta, readArtifact } from "../index";
import { formatBytes } from "../report/index";
import { defineCommand, toJson, UsageError } from "./command";
import { readWhole } from "./open-model";

export const applyCommand = defineCommand({
  name: "apply",
  summary: "make the tuned model of its base and a delta, the same to the byte",
  arguments: "BASE.octette DELTA -o OUT.octette",
  positionals: ["BASE", "DELTA"],
  options: {
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "where the model goes; a file there is replaced",
    },
  },
  notes: [
    "A delta is for one base, which it names by its content hash; octette inspect shows that of a model.",
    "With --force the output may be the base itself: it is replaced, whole, once the new model is on the disk.",
  ],
  examples: [
    "octette apply digits.octette tuned.delta -o tuned.octette",
    "octette apply digits.octette tuned.delta -o digits.octette --force",
  ],
  async run([base = "", delta = ""], { output, json }, context) {
    if (!output) throw new UsageError("-o FILE is missing: where should the model go?");
    await context.checkOutput(output);
    const [from, changes] = [await readWhole(base), await readWhole(delta)];
    const tuned = applyDelta(from, changes, { base, delta });
    const { contentHash } = readArtifact(tuned, delta);
    await context.write(output, tuned, context.signal);
    const bytes = { base: from.length, delta: changes.length, output: tuned.length };
    context.print(
      json
        ? toJson({ base, delta, output, bytes, contentHash })
        : [`${formatBytes(bytes.output)}, content hash ${contentHash}`, `${base}, ${delta} → ${output}`],
    );
  },
});
