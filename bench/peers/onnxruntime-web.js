// ONNX Runtime in wasm, one thread, on the graph as an ONNX file.

import * as ort from "onnxruntime-web";

const types = { f32: "float32", u8: "uint8", i32: "int64", bool: "bool" };

/** Integers are int64 in exported models. */
const numbersOf = (dtype, data) => (dtype === "i32" ? BigInt64Array.from(data, BigInt) : data);

/** What runs a model and returns the numbers of its first output; with `into`, each run writes them to the same array. */
export async function prepare({ onnx, feeds, into = false }) {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(onnx, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  });
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
      name,
      new ort.Tensor(types[dtype], numbersOf(dtype, data), shape),
    ]),
  );
  const [name] = session.outputNames;
  if (!into) return async () => (await session.run(inputs))[name].data;
  const output = (await session.run(inputs))[name];
  return async () => (await session.run(inputs, { [name]: output }))[name].data;
}
