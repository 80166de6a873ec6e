// Whole models from PyTorch, both of its exporters: float logits against ONNX Runtime's, int8 against the scalar
// reference to the byte.

import { describe, expect, test } from "vitest";
import { batches, cifar, mnist } from "../bench/data.js";
import { readNpy } from "../src/formats/npy";
import { importOnnx, loadSync, quantize } from "../src/index";
import { expectClose, expectSameBytes } from "./check-tensors";
import { engineClasses, withModel } from "./engine/engines";
import { realFile } from "./formats/fixtures";
import { runReference } from "./reference/index";

const models = { mlp: mnist, resnet8: cifar, mobile: cifar, mobile_wild: cifar };
/** Images whose logits are given, and images the scalar reference is run on. */
const GIVEN = 256;
const FEW = 3;

for (const [name, read] of Object.entries(models)) {
  const present = realFile(`vision/${name}.onnx`) !== undefined;
  describe.skipIf(!present)(name, () => {
    const set = present ? read("test") : undefined;
    const open = (style: string) => importOnnx(realFile(`vision/${name}${style}.onnx`)!);

    test.each(["", ".dynamo"])('float logits of "%s.onnx" are ONNX Runtime\'s within 1e-4', (style) => {
      const expected = readNpy(realFile(`vision/${name}.logits256.npy`)!);
      const model = loadSync(open(style), { maxima: { batch: 32 } });
      const { logits } = model.runSync([...batches(set!, "input", GIVEN, GIVEN)][0]!);
      model.dispose();
      expectClose(logits, expected, name);
    });

    test.each(["static", "dynamic"] as const)("%s int8 gives the reference's bytes", async (mode) => {
      const calibration = batches(set!, "input", 32, 64);
      const { graph } = await quantize(open(""), mode === "static" ? { calibration } : { mode });
      const few = [...batches(set!, "input", FEW, FEW)][0]!;
      const expected = runReference(graph, few).get("logits")!;
      for (const engineClass of engineClasses)
        for (const batch of [1, FEW])
          withModel(graph, { engineClass, maxima: { batch } }, (model) =>
            mode === "static" || name === "mlp"
              ? expectSameBytes(model.runSync(few).logits, expected, `${engineClass}, batch ${batch}`)
              : expectClose(model.runSync(few).logits, expected, engineClass),
          );
      expect(graph.nodes.some(({ codes }) => codes)).toBe(true);
    });
  });
}
