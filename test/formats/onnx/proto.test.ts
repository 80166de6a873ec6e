import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { PbfWriter } from "pbf";
import { describe, expect, test } from "vitest";
import { FormatError, OctetteError } from "../../../src/errors";
import { dataTypeName, dtypeOf, readModel, readTensorProto, toTensor } from "../../../src/formats/onnx/proto";
import { MAX_ITEMS } from "../../../src/formats/onnx/wire";
import { sizeOf, tensor } from "../../../src/graph/tensor";
import { anyTensor, bitsOf, dataFolder, expectOnlyOctetteErrors, expectSame, realFile } from "../fixtures";

type Write = (pbf: PbfWriter) => void;

function message(...writes: Write[]): Uint8Array {
  const pbf = new PbfWriter();
  for (const write of writes) write(pbf);
  return pbf.finish().slice();
}
const nested =
  (field: number, ...writes: Write[]): Write =>
  (pbf) =>
    pbf.writeBytesField(field, message(...writes));
const text =
  (field: number, value: string): Write =>
  (pbf) =>
    pbf.writeStringField(field, value);
const int =
  (field: number, value: number): Write =>
  (pbf) =>
    pbf.writeVarintField(field, value);
const bytes =
  (field: number, value: ArrayLike<number>): Write =>
  (pbf) =>
    pbf.writeBytesField(field, Uint8Array.from(value));

const tensorProto = (dims: number[], dataType: number, ...data: Write[]): Uint8Array =>
  message((pbf) => pbf.writePackedVarint(1, dims), int(2, dataType), text(8, "w"), ...data);
const decode = (...args: Parameters<typeof tensorProto>) => toTensor(readTensorProto(tensorProto(...args)));

/** A node with one attribute of this type (field 20) and these fields. */
const attribute = (type: number, ...fields: Write[]) =>
  nested(5, text(1, `a${type}`), ...(type ? [int(20, type)] : []), ...fields);

const graph = nested(
  7,
  text(2, "g"),
  nested(
    1,
    text(1, "x"),
    text(1, ""),
    text(2, "y"),
    text(3, "n"),
    text(4, "Op"),
    text(7, "custom"),
    attribute(1, (pbf) => pbf.writeFloatField(2, 0.5)),
    attribute(2, int(3, -3)),
    attribute(3, text(4, "é")),
    attribute(4, bytes(5, tensorProto([2], 1, bytes(9, [0, 0, 128, 63, 0, 0, 0, 64])))),
    attribute(5, nested(6, nested(1, text(4, "Inner")))),
    attribute(6, (pbf) => pbf.writePackedFloat(7, [1, 2])),
    attribute(7, int(8, 1), (pbf) => pbf.writePackedVarint(8, [2, -1, 2 ** 40])),
    attribute(8, text(9, "a"), text(9, "b")),
    attribute(9, bytes(10, tensorProto([0], 1))),
    attribute(13),
    attribute(0, text(21, "outer")),
  ),
  bytes(5, tensorProto([2, 2], 3, bytes(9, [1, 2, 255, 128]))),
  nested(
    11,
    text(1, "x"),
    nested(
      2,
      nested(
        1,
        int(1, 1),
        nested(2, nested(1, text(2, "batch")), nested(1, int(1, 3)), nested(1), nested(1, int(1, -1))),
      ),
    ),
  ),
  nested(12, text(1, "y")),
  nested(13, text(1, "v"), nested(2, nested(1, int(1, 7)))),
);
const model = message(
  int(1, 8),
  text(2, "maker"),
  text(3, "1.2"),
  nested(8, int(2, 21)),
  nested(8, text(1, "custom"), int(2, 1)),
  graph,
  nested(14, text(1, "k"), text(2, "v")),
  nested(25, text(1, "f"), text(10, "custom")),
  int(1000, 5),
);

describe("readModel", () => {
  const read = readModel(model, "m.onnx");

  test("the model's own fields, unknown ones skipped", () => {
    expect(read).toMatchObject({
      irVersion: 8,
      producerName: "maker",
      producerVersion: "1.2",
      opsetImport: [
        { domain: "", version: 21 },
        { domain: "custom", version: 1 },
      ],
      functions: [{ domain: "custom", name: "f" }],
      metadata: new Map([["k", "v"]]),
    });
  });

  test("nodes and attributes of every kind", () => {
    const node = read.graph.nodes[0]!;
    expect(node).toMatchObject({
      name: "n",
      opType: "Op",
      domain: "custom",
      inputs: ["x", ""],
      outputs: ["y"],
    });
    const values = [...node.attributes.values()].map((a) => [a.kind, "value" in a ? a.value : undefined]);
    expect(values).toMatchObject([
      ["float", 0.5],
      ["int", -3],
      ["string", "é"],
      ["tensor", { dims: [2] }],
      ["graph", { nodes: [{ opType: "Inner" }] }],
      ["floats", [1, 2]],
      ["ints", [1, 2, -1, 2 ** 40]],
      ["strings", ["a", "b"]],
      ["tensors", [{ dims: [0] }]],
      ["other", undefined],
      ["reference", "outer"],
    ]);
    const value = node.attributes.get("a4");
    expectSame(value?.kind === "tensor" ? toTensor(value.value) : undefined, tensor("f32", [2], [1, 2]));
  });

  test("values with symbols, and shapes or types that are not known", () => {
    expect(read.graph.inputs).toEqual([
      { name: "x", elemType: 1, shape: ["batch", 3, undefined, undefined] },
    ]);
    expect(read.graph.outputs).toEqual([{ name: "y" }]);
    expect(read.graph.valueInfo).toEqual([{ name: "v", elemType: 7 }]);
  });

  test("an attribute without a type, as before IR version 2", () => {
    const old = message(nested(7, nested(1, attribute(0, int(8, 4)))));
    expect(readModel(old).graph.nodes[0]!.attributes.get("a0")).toEqual({
      name: "a0",
      kind: "ints",
      value: [4],
    });
  });

  test("a tensor knows its place in the file", () => {
    const { offset, message: bytesOfTensor } = read.graph.initializers[0]!;
    expect(model.slice(offset, offset + bytesOfTensor.length)).toEqual(bytesOfTensor);
    expectSame(toTensor(read.graph.initializers[0]!), tensor("i8", [2, 2], [1, 2, -1, -128]));
  });
});

describe("toTensor", () => {
  test("read(write(x)) = x through raw_data", () => {
    const dataTypes = { f32: 1, u8: 2, i8: 3, i32: 6, bool: 9 };
    fc.assert(
      fc.property(anyTensor, (x) => {
        expectSame(decode([...x.shape], dataTypes[x.dtype], bytes(9, bitsOf(x))), x);
      }),
    );
  });

  test.each([true, false])("the typed fields, packed %s", (packed) => {
    const each =
      <T>(values: T[], write: (pbf: PbfWriter, value: T) => void): Write =>
      (pbf) => {
        for (const value of values) write(pbf, value);
      };
    const varints = (field: number, values: number[]): Write =>
      packed
        ? (pbf) => pbf.writePackedVarint(field, values)
        : each(values, (pbf, value) => pbf.writeVarintField(field, value));
    const floats: Write = packed
      ? (pbf) => pbf.writePackedFloat(4, [1.5, -2])
      : each([1.5, -2], (pbf, value) => pbf.writeFloatField(4, value));
    const doubles: Write = packed
      ? (pbf) => pbf.writePackedDouble(10, [0.1, -1e300])
      : each([0.1, -1e300], (pbf, value) => pbf.writeDoubleField(10, value));
    const max = 2 ** 31 - 1;
    expectSame(decode([2], 1, floats), tensor("f32", [2], [1.5, -2]));
    expectSame(decode([2], 11, doubles), tensor("f32", [2], [0.1, -1e300]));
    expectSame(decode([2], 2, varints(5, [0, 255])), tensor("u8", [2], [0, 255]));
    expectSame(decode([2], 3, varints(5, [-128, 127])), tensor("i8", [2], [-128, 127]));
    expectSame(decode([2], 4, varints(5, [0, 65535])), tensor("i32", [2], [0, 65535]));
    expectSame(decode([2], 5, varints(5, [-32768, 1])), tensor("i32", [2], [-32768, 1]));
    expectSame(decode([2], 6, varints(5, [-(2 ** 31), max])), tensor("i32", [2], [-(2 ** 31), max]));
    expectSame(decode([3], 7, varints(7, [5, -5, 2 ** 62])), tensor("i32", [3], [5, -5, max]));
    expectSame(decode([2], 9, varints(5, [0, 2])), tensor("bool", [2], [0, 1]));
    expectSame(decode([2], 10, varints(5, [0x3e00, 0xc000])), tensor("f32", [2], [1.5, -2]));
    expectSame(decode([2], 16, varints(5, [0x3fc0, 0xc000])), tensor("f32", [2], [1.5, -2]));
    expectSame(decode([2], 12, varints(11, [1, 2 ** 32 - 1])), tensor("i32", [2], [1, max]));
    expectSame(decode([2], 13, varints(11, [1, 2 ** 63])), tensor("i32", [2], [1, max]));
    expectSame(decode([3], 22, varints(5, [0x8f, 0x07])), tensor("i8", [3], [-1, -8, 7]));
  });

  test("raw_data of types that are converted, sentinels saturated", () => {
    const sentinel = [255, 255, 255, 255, 255, 255, 255, 127];
    const lowest = [0, 0, 0, 0, 0, 0, 0, 128];
    expectSame(
      decode([2], 7, bytes(9, [...sentinel, ...lowest])),
      tensor("i32", [2], [2 ** 31 - 1, -(2 ** 31)]),
    );
    expectSame(decode([1], 10, bytes(9, [0, 0x3e])), tensor("f32", [1], [1.5]));
    expectSame(decode([1], 16, bytes(9, [0xc0, 0x3f])), tensor("f32", [1], [1.5]));
    expectSame(decode([1], 4, bytes(9, [255, 255])), tensor("i32", [1], [65535]));
    expectSame(decode([3], 21, bytes(9, [0x8f, 0x07])), tensor("u8", [3], [15, 8, 7]));
    expectSame(decode([3], 22, bytes(9, [0x8f, 0x07])), tensor("i8", [3], [-1, -8, 7]));
  });

  test("scalars and tensors of nothing", () => {
    expectSame(
      decode([], 1, (pbf) => pbf.writePackedFloat(4, [3])),
      tensor("f32", [], [3]),
    );
    expectSame(decode([0, 3], 7), tensor("i32", [0, 3], []));
  });

  test("names and dtypes of data types", () => {
    expect([dataTypeName(10), dtypeOf(10), dtypeOf(22), dtypeOf(8), dataTypeName(99)]).toEqual([
      "FLOAT16",
      "f32",
      "i8",
      undefined,
      "data type 99",
    ]);
  });

  test.each([
    [
      "too few values",
      tensorProto([3], 1, (pbf) => pbf.writePackedFloat(4, [1])),
      /expected 3 values for FLOAT \[3\], got 1/,
    ],
    [
      "too many values",
      tensorProto([1], 7, (pbf) => pbf.writePackedVarint(7, [1, 2])),
      /expected 1 values.*got 2/,
    ],
    [
      "raw_data of another length",
      tensorProto([2], 1, bytes(9, [1, 2, 3])),
      /expected 8 bytes for FLOAT \[2\], got 3/,
    ],
    ["no data", tensorProto([1], 1), /float_data does not fill/],
    ["a shape beyond its data", tensorProto([2 ** 31, 2 ** 10], 1), /larger than its data/],
    [
      "data in another file",
      tensorProto([1], 1, int(14, 1), nested(13, text(1, "location"), text(2, "w.bin"))),
      /tensor "w" at byte 0: .*got external data "w\.bin"\. load\(\) and openOnnx\(\)/,
    ],
  ])("refuses %s", (_, proto, message) => {
    const read = () => toTensor(readTensorProto(proto, "m.onnx"));
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  test("strings and 8-bit floats are unsupported", () => {
    expect(() => decode([1], 8)).toThrow(/got STRING/);
    expect(() => decode([1], 17)).toThrow(/got FLOAT8E4M3FN/);
  });
});

describe("refuses", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(), /no graph in it\. Is it a whole ONNX model\?/],
    [
      "a truncated model",
      model.slice(0, 40),
      /m\.onnx at byte \d+: a field is longer.*Is it a whole ONNX model\?/,
    ],
    [
      "a ZIP",
      new TextEncoder().encode("PK\x03\x04 and more"),
      /begins as a ZIP archive.*export the model to ONNX/,
    ],
    ["a TFLite model", new TextEncoder().encode("\x1c\0\0\0TFL3"), /begins as a TensorFlow Lite model/],
    [
      "a length beyond its message",
      message(
        nested(
          7,
          (pbf) => pbf.writeVarint((2 << 3) | 2),
          (pbf) => pbf.writeVarint(5),
        ),
      ),
      /at most 0 bytes, got 5/,
    ],
    [
      "a length beyond its message but inside the file",
      Uint8Array.of(0x3a, 2, 0x12, 4, 65, 65, 65, 65),
      /at byte 3.*at most 0 bytes, got 4/,
    ],
    ["a varint without end", new Uint8Array(20).fill(0xff), /at byte 0: a varint runs on/],
    [
      "a varint that leaves its message",
      Uint8Array.of(0x42, 2, 0x10, 0x80, 0x01),
      /at byte 3: a varint runs on/,
    ],
    ["field number 0", Uint8Array.of(0, 0), /not a protobuf field: got field number 0/],
    ["a group", message(int(1, 8), (pbf) => pbf.writeVarint((9 << 3) | 3)), /got wire type group/],
    ["another wire type than ONNX's", message(text(1, "x")), /expected varint, got bytes/],
    ["a number where a message should be", message(int(7, 3)), /expected bytes, got varint/],
    ["two graphs", message(graph, graph), /two graphs/],
    ["a name that is not UTF-8", message(bytes(2, [0xff, 0xfe])), /at byte 1: a string is not UTF-8/],
    [
      "a negative dimension",
      message(nested(7, bytes(5, tensorProto([-1], 1)))),
      /impossible dimension.*got -1/,
    ],
    [
      "a thousand dimensions",
      message(nested(7, bytes(5, tensorProto(new Array(1000).fill(1), 1)))),
      /too many dimensions/,
    ],
    [
      "a tensor attribute without one",
      message(nested(7, nested(1, attribute(4)))),
      /"a4" says it is a tensor/,
    ],
    ["text", new TextEncoder().encode("<!doctype html>"), /m\.onnx at byte/],
  ];
  test.each(cases)("%s", (_, bytes, message) => {
    const read = () => readModel(bytes, "m.onnx");
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  test("sparse initializers", () => {
    expect(() => readModel(message(nested(7, nested(15))))).toThrow(OctetteError);
  });

  test("more parts than MAX_ITEMS, soon", () => {
    const inputs = new Uint8Array(2 * (MAX_ITEMS + 1));
    for (let i = 0; i < inputs.length; i += 2) inputs[i] = 0x0a; // node.input = ""
    expect(() => readModel(message(nested(7, bytes(1, inputs))))).toThrow(/MAX_ITEMS/);
  });

  test("damage, with an OctetteError", () => {
    const read = (damaged: Uint8Array) => {
      const { nodes, initializers } = readModel(damaged).graph;
      initializers.forEach(toTensor);
      for (const { attributes } of nodes)
        for (const value of attributes.values()) if (value.kind === "tensor") toTensor(value.value);
    };
    expectOnlyOctetteErrors(read, model, 2000);
  });
});

describe.skipIf(!dataFolder)("real files", () => {
  const models = [
    "vision/resnet8.onnx",
    "vision/resnet8.dynamo.onnx",
    "edge/mnist-cntk/mnist.onnx",
    "edge/yunet/yunet_n_320_320.onnx",
  ];
  test.each(models)("%s", (path) => {
    const { graph, irVersion } = readModel(realFile(path)!, path);
    expect(irVersion).toBeGreaterThan(2);
    expect(graph.nodes.length).toBeGreaterThan(5);
    for (const proto of graph.initializers) {
      const { shape, data } = toTensor(proto);
      expect(data.length).toBe(sizeOf(shape));
    }
  });

  const conformance = join(dataFolder ?? "", "conformance");
  test("the operands of the conformance suite's Add add up to its sums", () => {
    for (const name of readdirSync(conformance).filter((test) => test.startsWith("test_add"))) {
      const [a, b, sum] = ["input_0", "input_1", "output_0"].map((file) => {
        const path = `conformance/${name}/test_data_set_0/${file}.pb`;
        return toTensor(readTensorProto(realFile(path)!, path));
      });
      const add = (x: number, y: number) => {
        const out = sum!.data.slice(0, 1);
        out[0] = x + y;
        return out[0];
      };
      if (a!.data.length !== b!.data.length) continue;
      expect([...sum!.data]).toEqual([...a!.data].map((x, i) => add(x, b!.data[i]!)));
    }
  });
});
