// octette delta: what a tuned model differs from its base by, as a small file.

import { readBytes } from "../engine/source";
import { createDelta } from "../index";
import { defineCommand } from "./command";
import { output } from "./options";
import { formatBytes, formatPercent } from "./terminal";

export const deltaCommand = defineCommand({
  name: "delta",
  summary: "write what tuning changed as a small file",
  arguments: "BASE.octette TUNED.octette -o OUT.delta",
  positionals: ["BASE", "TUNED"],
  options: { output: output("delta") },
  notes: [
    "Both models must be of one structure: they may differ in weights, biases, scales and zero points.",
  ],
  examples: ["octette delta digits.octette tuned.octette -o tuned.delta"],
  async run([base = "", tuned = ""], { output }, context) {
    await context.checkOutput(output);
    const [from, to] = [await readBytes(base, context.signal), await readBytes(tuned, context.signal)];
    const delta = createDelta(from, to, { base, tuned });
    await context.write(output, delta, context.signal);
    const bytes = { base: from.length, tuned: to.length, delta: delta.length };
    const share = formatPercent((100 * bytes.delta) / bytes.tuned, 1);
    context.print({ base, tuned, output, bytes }, () => [
      `${formatBytes(bytes.delta)}, ${share} of ${formatBytes(bytes.tuned)}`,
      `${base}, ${tuned} → ${output}`,
    ]);
  },
});
