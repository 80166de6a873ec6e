// ONNX Runtime in wasm, which computes what octette is compared with: one thread, nothing optimized.

import { count, type Elements, type ElementType, f16Value } from "./elements";

const names: Readonly<Record<string, ElementType>> = {
  float32: "f32",
  float64: "f64",
  float16: "f16",
  int8: "i8",
  uint8: "u8",
  int16: "i16",
  uint16: "u16",
  int32: "i32",
  uint32: "u32",
  int64: "i64",
  uint64: "u64",
  bool: "bool",
};
const typeNames = new Map(Object.entries(names).map(([name, type]) => [type, name]));

export interface Peer {
  /** Outputs by name; throws where ONNX Runtime refuses model or feeds. */
  run(model: Uint8Array, feeds: Readonly<Record<string, Elements>>): Promise<Record<string, Elements>>;
}

/** The peer that is installed at a path, or undefined. */
export async function openPeer(path: string): Promise<Peer | undefined> {
  const ort = await import(path).catch(() => undefined);
  if (!ort) return undefined;
  const { arrayOf } = await import("./elements");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "fatal";
  return {
    async run(model, feeds) {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: ["wasm"],
        graphOptimizationLevel: "disabled",
        logSeverityLevel: 4,
      });
      try {
        const tensors = Object.fromEntries(
          Object.entries(feeds)
            .filter(([name]) => session.inputNames.includes(name))
            .map(([name, elements]) => [
              name,
              new ort.Tensor(
                typeNames.get(elements.type) ?? elements.type,
                arrayOf(elements),
                elements.shape,
              ),
            ]),
        );
        const results = await session.run(tensors);
        return Object.fromEntries(
          Object.entries<{ type: string; dims: number[]; data: ArrayLike<number | bigint> }>(results).map(
            ([name, { type, dims, data }]) => {
              const kind = names[type]!;
              const values = Array.from(data).slice(0, count(dims));
              return [
                name,
                {
                  type: kind,
                  shape: [...dims],
                  values: kind === "f16" ? values.map((v) => f16Value(Number(v))) : values,
                },
              ];
            },
          ),
        );
      } finally {
        await session.release();
      }
    },
  };
}
