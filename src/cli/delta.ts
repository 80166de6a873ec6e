// octette delta: what a tuned model differs from its base by, as a small file.

import { createDelta } from "../index";
import { formatBytes, formatPercent } from "../report/index";
import { defineCommand, toJson, UsageError } from "./command";
import { readWhole } from "./open-model";

export const deltaCommand = defineCommand({
  name: "delta",
  summary: "what makes a tuned model of its base: a small file for octette apply",
  arguments: "BASE.octette TUNED.octette -o OUT.delta",
  positionals: ["BASE", "TUNED"],
  options: {
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "where the delta goes; a file there is replaced",
    },
  },
  notes: [
    "Both models must be of one structure: they may differ in weights, biases, scales and zero points.",
  ],
  examples: ["octette delta digits.octette tuned.octette -o tuned.delta"],
  async run([base = "", tuned = ""], { output, json }, context) {
    if (!output) throw new UsageError("-o FILE is missing: where should the delta go?");
    await context.checkOutput(output);
    const [from, to] = [await readWhole(base), await readWhole(tuned)];
    const delta = createDelta(from, to, { base, tuned });
    await context.write(output, delta, context.signal);
    const bytes = { base: from.length, tuned: to.length, delta: delta.length };
    context.print(
      json
        ? toJson({ base, tuned, output, bytes })
        : [
            `${formatBytes(bytes.delta)}, ${formatPercent((100 * bytes.delta) / bytes.tuned, 1)} of ${formatBytes(bytes.tuned)}`,
            `${base}, ${tuned} → ${output}`,
          ],
    );
  },
});
