// octette export: a model as an ONNX file, which other tools run.

import { exportOnnx, OctetteError } from "../index";
import { defineCommand } from "./command";
import { isLanguageModel } from "./language";
import { openModel } from "./open-model";
import { output } from "./options";
import { formatBytes } from "./terminal";

export const exportCommand = defineCommand({
  name: "export",
  summary: "write a model as an ONNX file, for ONNX Runtime and other tools",
  arguments: "MODEL -o OUT.onnx",
  positionals: ["MODEL"],
  options: { output: output("ONNX model") },
  notes: [
    "Integer layers become operators between QuantizeLinear and DequantizeLinear, 4-bit weights int4, integers int64. The opset is 21, or later where the model needs it.",
    "An ONNX model takes normalized numbers: the normalization of a model's inputs stands in its metadata as octette.preprocessing.INPUT.",
    "Language models cannot be exported.",
  ],
  examples: ["octette export digits.octette -o digits-int8.onnx"],
  async run([path = ""], { output }, context) {
    if (await isLanguageModel(path))
      throw new OctetteError("language models cannot be exported", {
        code: "unsupported",
        where: path,
        hint: "Their caches have no place in ONNX: octette generate and octette/text run them",
      });
    await context.checkOutput(output);
    const { graph, bytes: from } = await openModel(path, context);
    const bytes = await exportOnnx(graph);
    await context.write(output, bytes, context.signal);
    const normalized = graph.inputs.flatMap(({ name, preprocessing }) => (preprocessing ? [name] : []));
    if (normalized.length > 0)
      context.log(
        `${output} takes normalized numbers for ${normalized.join(", ")}: (number · scale − mean) / std, as its metadata say.`,
      );
    const sizes = { from: from.length, to: bytes.length };
    context.print({ model: path, output, bytes: sizes, normalized }, () => [
      `${formatBytes(sizes.from)} → ${formatBytes(sizes.to)}`,
      `${path} → ${output}`,
    ]);
  },
});
