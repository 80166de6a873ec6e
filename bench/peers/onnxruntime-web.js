// ONNX Runtime in wasm, one thread, on the graph as an ONNX file.

import * as ort from "onnxruntime-web";

const types = { f32: "float32", u8: "uint8" };

export async function prepare({ onnx, feeds }) {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(onnx, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
      name,
      new ort.Tensor(types[dtype], data, shape),
    ]),
  );
  const [name] = session.outputNames;
  return async () => (await session.run(inputs))[name].data;
}
