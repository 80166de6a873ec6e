// Models loaded tensor by tensor: from every kind of source in chunks of any size, whatever the order of the file, with no
// byte kept that is not needed, and damage told as what it is.

import { describe, expect, test, vi } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { Loader } from "../../src/engine/loader";
import type { Model } from "../../src/engine/model";
import type { LoadGroup } from "../../src/engine/plan";
import { Engine } from "../../src/engine/wasm";
import { FormatError } from "../../src/errors";
import { writeArtifact } from "../../src/formats/octette";
import { readSafetensors } from "../../src/formats/safetensors";
import type { Graph } from "../../src/graph/graph";
import { createSha256 } from "../../src/graph/sha256";
import { bytesIn, type Tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import { createRuntime } from "../../src/runtime/create-runtime";
import { convGraph, denseGraph, expectSameBytes, networkGraph, randomFeeds } from "../check-model";
import { resealed } from "../formats/sealed";
import { GraphBuilder } from "../graph-builder";
import { runReference } from "../reference/index";
import { relaxedWhere } from "./engines";

const { load, loadSync } = createRuntime(registry, inlined);

async function* chunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** The model's answers are the reference's; lets go of it. */
function expectRuns(model: Model, graph: Graph): void {
  const feeds = randomFeeds(graph, 2);
  const expected = runReference(graph, feeds);
  for (const [name, y] of Object.entries(model.runSync(feeds))) expectSameBytes(y, expected.get(name)!, name);
  model.dispose();
}

/** Two layers that share their weights. */
function sharing(): Graph {
  const builder = new GraphBuilder(3);
  const w = builder.floats("w", [5, 5], 1);
  const y = builder.node("Linear", [builder.input("x", ["batch", 5]), w], "h");
  builder.node("Linear", [y, w], "y");
  return builder.build("y");
}

/** A constant that is read as a value, channels last. */
function adding(): Graph {
  const builder = new GraphBuilder(4);
  const x = builder.input("x", ["batch", 3, 4, 4]);
  const w = builder.floats("w", [4, 3, 3, 3], 1);
  const y = builder.node("Conv", [x, w], "h", { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  builder.node("Add", [y, builder.floats("c", [1, 4, 4, 4], 1)], "y");
  return builder.build("y");
}

const graphs: Record<string, Graph> = {
  network: networkGraph(),
  "float network": networkGraph({ quantized: false }),
  "dynamic Linear": denseGraph({ k: 9, n: 5, mode: "dynamic" }),
  "static-float, no bias": denseGraph({ k: 9, n: 17, mode: "static-float", bias: false }),
  "grouped convolution": convGraph({ cin: 4, cout: 6, k: 3, h: 5, w: 5, groups: 2 }),
  "grouped convolution, float": convGraph({ cin: 4, cout: 6, k: 3, h: 5, w: 5, groups: 2, mode: "float" }),
  "one output": denseGraph({ k: 4, n: 1 }),
  "shared weights": sharing(),
  "a constant that is added": adding(),
};

describe.each(Object.entries(graphs))("%s", (_, graph) => {
  const bytes = writeArtifact(graph);

  test("at once", () => expectRuns(loadSync(bytes), graph));
  test.each([1, 3, 17, 1000])("in chunks of %i", async (size) => {
    expectRuns(await load(chunks(bytes, size)), graph);
  });
  test("its tensors in another order", async () => {
    for (const seed of [1, 2, 3]) expectRuns(await load(chunks(reordered(bytes, seed), 64)), graph);
  });
});

/** The same artifact with its tensors in an order of their own, its hash right. */
function reordered(bytes: Uint8Array, seed: number): Uint8Array {
  const { tensors, metadata } = readSafetensors(bytes);
  const key = (name: string) =>
    createSha256()
      .update(new TextEncoder().encode(`${seed} ${name}`))
      .digest();
  const order = [...tensors].sort(([a], [b]) => (key(a) < key(b) ? -1 : 1));
  const write = () => {
    const names = { f32: "F32", i8: "I8", u8: "U8", i32: "I32", bool: "BOOL" };
    let end = 0;
    const entry = ({ dtype, shape, data }: Tensor) => ({
      dtype: names[dtype],
      shape,
      data_offsets: [end, (end += data.byteLength)],
    });
    const header = {
      __metadata__: metadata,
      ...Object.fromEntries(order.map(([name, tensor]) => [name, entry(tensor)])),
    };
    const json = new TextEncoder().encode(JSON.stringify(header));
    const file = new Uint8Array(8 + json.length + end);
    new DataView(file.buffer).setUint32(0, json.length, true);
    file.set(json, 8);
    let at = 8 + json.length;
    for (const [, { data }] of order) {
      file.set(bytesIn(data), at);
      at += data.byteLength;
    }
    return file;
  };
  return resealed(write());
}

describe("a damaged file is told as one, at once and in chunks", () => {
  const bytes = writeArtifact(networkGraph());
  const headerBytes = 8 + new DataView(bytes.buffer).getUint32(0, true);
  const errorOf = async (damaged: Uint8Array): Promise<FormatError> => {
    let atOnce: unknown;
    try {
      loadSync(damaged).dispose();
    } catch (error) {
      atOnce = error;
    }
    const error = await load(chunks(damaged, 100)).catch((cause) => cause);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toBe((atOnce as FormatError).message);
    return error;
  };

  test("with any byte of its tensors changed", async () => {
    for (let at = headerBytes; at < bytes.length; at += 251) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1;
      expect((await errorOf(damaged)).message).toMatch(/the file was changed or damaged/);
    }
  });

  test("with any byte of its graph changed", async () => {
    const start = new TextDecoder().decode(bytes).indexOf("strings");
    for (let at = start; at < start + 400; at += 13) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1;
      await errorOf(damaged);
    }
  });

  test("cut anywhere", async () => {
    for (const length of [0, 7, 8, 100, headerBytes - 1, headerBytes, headerBytes + 1, bytes.length - 1])
      expect((await errorOf(bytes.slice(0, length))).message).toMatch(/truncated/);
  });

  test("with bytes behind its end", async () => {
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect((await errorOf(longer)).message).toMatch(/bytes after the last tensor/);
  });
});

test("a source is let go of when it was read, and when it fails", async () => {
  const bytes = writeArtifact(networkGraph());
  for (const length of [bytes.length, bytes.length - 1, 20]) {
    const closed = vi.fn();
    async function* source() {
      try {
        yield* chunks(bytes.slice(0, length), 50);
        yield new Uint8Array(bytes.length - length);
      } finally {
        closed();
      }
    }
    const outcome = load(source()).then((model) => model.dispose());
    if (length === bytes.length) await outcome;
    else await expect(outcome).rejects.toThrow(FormatError);
    expect(closed).toHaveBeenCalledOnce();
  }
});

describe("a loader", () => {
  const group = (...names: string[]): LoadGroup => ({
    copies: names.map((constant, i) => ({ at: 16 * i, constant, bytes: 4, isFlipped: false })),
    calls: [{ kernel: names.join(), args: [] }],
  });
  const filled = (byte: number) => new Uint8Array(4).fill(byte);

  test("offers the place of what completes a group, and no place of what several groups read", () => {
    const memory = new Uint8Array(64);
    const packed: string[] = [];
    const loader = new Loader([group("a", "b"), group("c"), group("b", "c", "c")], memory, (kernel) =>
      packed.push(kernel),
    );
    expect([loader.placeOf("b"), loader.placeOf("none")]).toEqual([undefined, undefined]);
    expect(loader.placeOf("a")!.buffer).not.toBe(memory.buffer);
    loader.put("b", filled(2));
    loader.placeOf("a")!.fill(1);
    loader.put("a", loader.placeOf("a")!);
    expect([...memory.subarray(0, 4), ...memory.subarray(16, 20)]).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(packed).toEqual(["a,b"]);
    expect(loader.placeOf("c")).toBeUndefined();
    loader.put("c", filled(3));
    expect(packed).toEqual(["a,b", "c", "b,c,c"]);
    loader.put("c", filled(4));
    expect([...memory.subarray(16, 20)]).toEqual([3, 3, 3, 3]);
  });

  test("lends memory to what waits for others, and takes it again for the next", () => {
    const memory = new Uint8Array(64);
    const loader = new Loader([group("a", "b"), group("c", "d")], memory, () => {});
    const lent = loader.placeOf("a")!;
    loader.put("a", lent.fill(1));
    expect(loader.placeOf("c")).toBeUndefined();
    loader.put("b", loader.placeOf("b")!.fill(2));
    expect([...memory.subarray(0, 4), ...memory.subarray(16, 20)]).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(loader.placeOf("c")!.buffer).toBe(lent.buffer);
  });

  test("flips codes that are read as values", () => {
    const memory = new Uint8Array(64);
    const copies = [{ at: 8, constant: "a", bytes: 4, isFlipped: true }];
    new Loader([{ copies, calls: [] }], memory, () => {}).put("a", Uint8Array.of(0, 127, 128, 255));
    expect([...memory.subarray(8, 12)]).toEqual([128, 255, 0, 127]);
  });
});

describe("memory", () => {
  const graph = networkGraph();
  const bytes = writeArtifact(graph);

  test("is what was planned", () => {
    for (const batch of [1, 3, 17]) {
      const model = loadSync(bytes, { maxima: { batch }, taps: ["y"] });
      model.runSync(randomFeeds(graph, batch));
      expect(model.tapped("y").data.buffer.byteLength).toBe(model.bytes);
      model.dispose();
    }
  });

  test("beyond maxBytes is refused before it is allocated, with the batch that fits", () => {
    const big = { maxima: { batch: 1000 } };
    const whole = loadSync(bytes, big);
    const maxBytes = whole.bytes >> 2;
    whole.dispose();
    const Memory = vi.spyOn(WebAssembly, "Memory");
    try {
      const attempt = () => loadSync(bytes, { ...big, maxBytes });
      expect(attempt).toThrow(
        expect.objectContaining({
          code: "limit",
          got: `${whole.bytes} bytes`,
        }),
      );
      expect(attempt).toThrow(/expected at most \d+ bytes/);
      const fits = /A batch of (\d+) fits/.exec(messageOf(attempt))![1]!;
      expect(() => loadSync(bytes, { maxBytes, maxima: { batch: Number(fits) + 1 } })).toThrow(
        /limit|memory/,
      );
      expect(Memory).not.toHaveBeenCalled();
      Memory.mockRestore();
      const model = loadSync(bytes, { maxBytes, maxima: { batch: Number(fits) } });
      expect(model.bytes).toBeLessThanOrEqual(maxBytes);
      model.dispose();
    } finally {
      Memory.mockRestore();
    }
    expect(() => loadSync(bytes, { ...big, maxBytes: 1000 })).toThrow(
      /A batch of 1 takes 65536 bytes, 64536 too many/,
    );
  });

  const messageOf = (attempt: () => unknown): string => {
    try {
      attempt();
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
});

test("to settle asks the hot probe once, and the class is final", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const hot = vi.fn(() => "u8s8-saturating" as const);
  const engine = new Engine({ ...inlined, relaxed: relaxedWhere("u8s8", hot) });
  expect(engine.settle().engineClass).toBe("baseline");
  engine.settle();
  expect(hot).toHaveBeenCalledOnce();
  expect(warn).toHaveBeenCalledOnce();
  warn.mockRestore();
});
