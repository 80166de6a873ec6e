// Files made by hand to cost more than their size, by kind of part: long chains, many parts, numbers and names that are large,
// shapes that grow, archives that unpack to more.

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type AsyncZippable, zip } from "fflate";
import { ARTIFACT_VERSION } from "../../src/formats/octette";
import { type FileNode, onnxFile } from "../formats/onnx/model-file";
import { resealed } from "../formats/sealed";
import { type ElementType, rawTensor } from "./elements";

const constant = (type: ElementType, shape: readonly number[], values: readonly (number | bigint)[]) =>
  rawTensor({ type, shape, values });
const i64 = (...values: (number | bigint)[]) => constant("i64", [values.length], values);

/** Nodes one after the other, from x to y. */
function chain(length: number, node: (input: string, output: string, i: number) => FileNode): FileNode[] {
  return Array.from({ length }, (_, i) =>
    node(i === 0 ? "x" : `v${i - 1}`, i === length - 1 ? "y" : `v${i}`, i),
  );
}

const simple = (op: string) => (input: string, output: string) => ({
  op,
  inputs: [input],
  outputs: [output],
});
const relu: readonly FileNode[] = [{ op: "Relu", inputs: ["x"], outputs: ["y"], name: "relu" }];
const square = [{ name: "x", shape: [4, 4] }];

/** A varint and a field of protobuf, for what no encoder of models writes. */
const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))]);
const field = (number: number, body: Uint8Array) =>
  Buffer.concat([Uint8Array.from([...varint(number * 8 + 2), ...varint(body.length)]), body]);
const repeated = (number: number, length: number, body = new Uint8Array(0)) => {
  const one = field(number, body);
  return Buffer.concat(Array.from({ length }, () => one));
};
const opset = field(8, Uint8Array.of(0x0a, 0, 0x10, 17));
const graphOf = (...parts: readonly Uint8Array[]) => Buffer.concat([opset, field(7, Buffer.concat(parts))]);

const chains = (): Record<string, Uint8Array> => {
  const shapes = { a: i64(-1, 4), b: i64(4, -1), zero: i64(0), one: i64(1) };
  const made: Record<string, Uint8Array> = {};
  for (const op of ["Identity", "Relu", "Neg", "Transpose", "Flatten", "Softmax", "Foo"])
    for (const length of op === "Relu" ? [2000, 20_000] : [20_000])
      made[`chain of ${length} ${op}`] = onnxFile({ nodes: chain(length, simple(op)), inputs: square });
  made["chain of 20000 Reshape"] = onnxFile({
    nodes: chain(20_000, (input, output, i) => ({
      op: "Reshape",
      inputs: [input, i % 2 ? "a" : "b"],
      outputs: [output],
    })),
    inputs: square,
    initializers: shapes,
  });
  made["chain of 20000 Unsqueeze and Squeeze"] = onnxFile({
    nodes: chain(20_000, (input, output, i) => ({
      op: i % 2 ? "Squeeze" : "Unsqueeze",
      inputs: [input, "zero"],
      outputs: [output],
    })),
    inputs: square,
    initializers: shapes,
  });
  made["chain of 8000 Add by itself"] = onnxFile({
    nodes: chain(8000, (input, output) => ({ op: "Add", inputs: [input, input], outputs: [output] })),
    inputs: square,
  });
  made["chain of 4000 QuantizeLinear and DequantizeLinear"] = onnxFile({
    nodes: chain(4000, (input, output, i) => ({
      op: i % 2 ? "DequantizeLinear" : "QuantizeLinear",
      inputs: [input, "scale", "point"],
      outputs: [output],
    })),
    inputs: square,
    initializers: { scale: constant("f32", [], [0.1]), point: constant("u8", [], [3]) },
  });
  made["chain of 20000 Concat of one"] = onnxFile({
    nodes: chain(20_000, (input, output) => ({
      op: "Concat",
      inputs: [input],
      outputs: [output],
      attributes: { axis: 0 },
    })),
    inputs: square,
  });
  for (const length of [28, 60])
    made[`Concat doubling ${length} times`] = onnxFile({
      nodes: chain(length, (input, output) => ({
        op: "Concat",
        inputs: [input, input],
        outputs: [output],
        attributes: { axis: 1 },
      })),
      inputs: square,
    });
  made["Concat doubling a constant 40 times"] = onnxFile({
    nodes: [
      ...Array.from({ length: 40 }, (_, i) => ({
        op: "Concat",
        inputs: Array(2).fill(i ? `k${i}` : "k"),
        outputs: [`k${i + 1}`],
        attributes: { axis: 0 },
      })),
      { op: "Cast", inputs: ["k40"], outputs: ["f"], attributes: { to: 1 } },
      { op: "Add", inputs: ["x", "f"], outputs: ["y"] },
    ],
    inputs: [{ name: "x", shape: [4] }],
    initializers: { k: i64(1, 2) },
  });
  made["Expand of an Expand, 30 times"] = onnxFile({
    nodes: [
      ...Array.from({ length: 30 }, (_, i) => ({
        op: "Expand",
        inputs: [i ? `k${i}` : "k", `s${i}`],
        outputs: [`k${i + 1}`],
      })),
      { op: "Add", inputs: ["x", "k30"], outputs: ["y"] },
    ],
    initializers: {
      k: constant("f32", [1], [1]),
      ...Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [`s${i}`, i64(...Array(Math.min(8, i + 1)).fill(8))]),
      ),
    },
  });
  return made;
};

const symbols = (): Record<string, Uint8Array> => {
  const made: Record<string, Uint8Array> = {};
  const dims = ["N", "M", "K", "L", "P", "Q", "R", "S"];
  const product = (powers: number, end: readonly FileNode[]) => [
    { op: "Shape", inputs: ["x"], outputs: ["shape"] },
    ...dims.map((_, i) => ({ op: "Gather", inputs: ["shape", `i${i}`], outputs: [`d${i}`] })),
    ...dims
      .slice(1)
      .map((_, i) => ({ op: "Add", inputs: [i ? `a${i - 1}` : "d0", `d${i + 1}`], outputs: [`a${i}`] })),
    ...Array.from({ length: powers }, (_, i) => ({
      op: "Mul",
      inputs: Array(2).fill(i ? `m${i - 1}` : "a6"),
      outputs: [`m${i}`],
    })),
    ...end,
  ];
  const indices = Object.fromEntries(dims.map((_, i) => [`i${i}`, i64(i)]));
  for (const powers of [3, 6, 30])
    made[`sum of symbols to the power 2^${powers}`] = onnxFile({
      nodes: product(powers, [{ op: "Reshape", inputs: ["x", `m${powers - 1}`], outputs: ["y"] }]),
      inputs: [{ name: "x", shape: dims }],
      initializers: indices,
    });
  for (const powers of [16, 24, 40])
    made[`symbol to the power 2^${powers}`] = onnxFile({
      nodes: [
        { op: "Shape", inputs: ["x"], outputs: ["shape"] },
        { op: "Gather", inputs: ["shape", "i0"], outputs: ["m"] },
        ...Array.from({ length: powers }, (_, i) => ({
          op: "Mul",
          inputs: Array(2).fill(i ? `m${i - 1}` : "m"),
          outputs: [`m${i}`],
        })),
        { op: "Reshape", inputs: ["x", `m${powers - 1}`], outputs: ["y"] },
      ],
      initializers: indices,
    });
  for (const name of [
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "N*".repeat(5000) + "N",
    "(".repeat(20_000),
    "9".repeat(400),
    "-",
    "N/0",
    "floor(N)",
  ])
    made[`symbol ${name.slice(0, 20)}`] = onnxFile({
      nodes: relu,
      inputs: [{ name: "x", shape: [name, 4] }],
    });
  made["2000000 unknown dimensions"] = graphOf(
    field(
      11,
      Buffer.concat([
        field(1, Uint8Array.of(0x78)),
        field(2, field(1, Buffer.concat([Uint8Array.of(8, 1), field(2, repeated(1, 2_000_000))]))),
      ]),
    ),
  );
  made["rank 3000"] = onnxFile({ nodes: relu, inputs: [{ name: "x", shape: Array(3000).fill(1) }] });
  made["10000 symbols"] = onnxFile({
    nodes: relu,
    inputs: Array.from({ length: 2500 }, (_, i) => ({
      name: i ? `x${i}` : "x",
      shape: [0, 1, 2, 3].map((d) => `s${i}_${d}`),
    })),
  });
  return made;
};

const numbers = (): Record<string, Uint8Array> => {
  const made: Record<string, Uint8Array> = {};
  const ranges = (length: number) =>
    onnxFile({
      nodes: [
        ...Array.from({ length }, (_, i) => ({ op: "Range", inputs: ["z", "l", "o"], outputs: [`r${i}`] })),
        ...relu,
      ],
      initializers: {
        z: constant("i64", [], [0]),
        l: constant("i64", [], [2 ** 24]),
        o: constant("i64", [], [1]),
      },
    });
  for (const length of [8, 40]) made[`${length} ranges`] = ranges(length);
  const image = [{ name: "x", shape: [1, 1, 4, 4] }];
  const window = (op: string, attributes: FileNode["attributes"] = {}) =>
    onnxFile({
      nodes: [
        { op, inputs: op === "Conv" ? ["x", "w"] : ["x"], outputs: ["y"], attributes: { ...attributes } },
      ],
      inputs: image,
      initializers: { w: constant("f32", [1, 1, 1, 1], [1]) },
    });
  for (const size of [2 ** 12, 2 ** 24, 2 ** 31, 2 ** 40]) {
    made[`Conv padded by ${size}`] = window("Conv", { pads: [size, 0, size, 0] });
    made[`Conv strides ${size}`] = window("Conv", { strides: [size, size] });
    made[`Conv dilations ${size}`] = window("Conv", { dilations: [size, size] });
    made[`AveragePool of ${size}`] = window("AveragePool", {
      kernel_shape: [size, size],
      pads: [size - 4, size - 4, size - 4, size - 4],
    });
    made[`MaxPool of ${size}`] = window("MaxPool", {
      kernel_shape: [size, 1],
      pads: [size - 4, 0, size - 4, 0],
    });
    for (const [op, shape] of [
      ["Expand", [size, 1, 1, 1, 4]],
      ["Reshape", [size, -1]],
      ["ConstantOfShape", [size]],
    ] as const)
      made[`${op} to ${size}`] = onnxFile({
        nodes: [
          {
            op,
            inputs: op === "ConstantOfShape" ? ["s"] : ["x", "s"],
            outputs: [op === "ConstantOfShape" ? "c" : "y"],
          },
          ...(op === "ConstantOfShape" ? [{ op: "Add", inputs: ["x", "c"], outputs: ["y"] }] : []),
        ],
        inputs: op === "ConstantOfShape" ? [{ name: "x", shape: [1] }] : image,
        initializers: { s: i64(...shape) },
      });
    made[`Resize to ${size}`] = onnxFile({
      nodes: [{ op: "Resize", inputs: ["x", "", "", "s"], outputs: ["y"] }],
      inputs: image,
      initializers: { s: i64(1, 1, size, 4) },
    });
    made[`Pad by ${size}`] = onnxFile({
      nodes: [{ op: "Pad", inputs: ["x", "s"], outputs: ["y"] }],
      inputs: image,
      initializers: { s: i64(0, 0, size, 0, 0, 0, 0, 0) },
    });
    made[`input of ${size}`] = onnxFile({ nodes: relu, inputs: [{ name: "x", shape: [1, size] }] });
  }
  made["AveragePool of 4096 over 128"] = onnxFile({
    nodes: [
      {
        op: "AveragePool",
        inputs: ["x"],
        outputs: ["y"],
        attributes: { kernel_shape: [4096, 4096], pads: [4000, 4000, 4000, 4000] },
      },
    ],
    inputs: [{ name: "x", shape: [1, 1, 128, 128] }],
  });
  made["Gemm of 20000 columns"] = onnxFile({
    nodes: [
      { op: "Expand", inputs: ["k", "s"], outputs: ["w"] },
      { op: "MatMul", inputs: ["x", "w"], outputs: ["y"] },
    ],
    inputs: [{ name: "x", shape: ["batch", 20_000] }],
    initializers: { k: constant("f32", [1, 1], [1]), s: i64(20_000, 20_000) },
  });
  return made;
};

const parts = (): Record<string, Uint8Array> => {
  const long = "\u001b[31m\u202e" + "A".repeat(1_000_000);
  const info = (name: string) =>
    Buffer.concat([field(1, Buffer.from(name)), field(2, field(1, Uint8Array.of(8, 1)))]);
  const made: Record<string, Uint8Array> = {
    "300000 empty nodes": graphOf(repeated(1, 300_000)),
    "300000 empty initializers": graphOf(repeated(5, 300_000)),
    "300000 empty inputs": graphOf(repeated(11, 300_000)),
    "300000 empty outputs": graphOf(repeated(12, 300_000)),
    "300000 metadata entries": Buffer.concat([graphOf(), repeated(14, 300_000)]),
    "300000 functions": Buffer.concat([graphOf(), repeated(25, 300_000)]),
    "300000 opsets": Buffer.concat([repeated(8, 300_000), graphOf()]),
    "4000000 ints": graphOf(
      field(
        1,
        field(5, Buffer.concat([field(1, Buffer.from("axes")), field(8, Buffer.alloc(4_000_000, 1))])),
      ),
    ),
    "attributes nested 20000 deep": graphOf(
      field(
        1,
        Array.from({ length: 20_000 }).reduce(
          (inner: Uint8Array, _, i) => (i % 64 === 0 ? field(5, field(6, field(1, inner))) : field(5, inner)),
          new Uint8Array(0),
        ),
      ),
    ),
    "a node of 20000 inputs": onnxFile({
      nodes: [{ op: "Max", inputs: Array(20_000).fill("x"), outputs: ["y"] }],
    }),
    "a Sum of 20000 inputs": onnxFile({
      nodes: [{ op: "Sum", inputs: Array(20_000).fill("x"), outputs: ["y"] }],
    }),
    "a Concat of 20000 inputs": onnxFile({
      nodes: [{ op: "Concat", inputs: Array(20_000).fill("x"), outputs: ["y"], attributes: { axis: 1 } }],
    }),
    "a Split of 20000 outputs": onnxFile({
      opset: 18,
      nodes: [
        {
          op: "Split",
          inputs: ["x"],
          outputs: ["y", ...Array.from({ length: 19_999 }, (_, i) => `y${i}`)],
          attributes: { axis: 1, num_outputs: 20_000 },
        },
      ],
      inputs: [{ name: "x", shape: ["batch", 20_000] }],
    }),
    "20000 nodes in reverse": onnxFile({ nodes: chain(20_000, simple("Relu")).reverse() }),
    "a circle": onnxFile({
      nodes: [
        { op: "Relu", inputs: ["y"], outputs: ["z"] },
        { op: "Relu", inputs: ["z"], outputs: ["y"] },
      ],
    }),
    "a name of a million letters": onnxFile({
      nodes: [{ op: "Relu", inputs: ["x"], outputs: [long], name: long }],
      outputs: [long],
    }),
    "an operator of a million letters": onnxFile({ nodes: [{ op: long, inputs: ["x"], outputs: ["y"] }] }),
    "names that are commands to a terminal": onnxFile({
      nodes: [
        {
          op: "Relu",
          inputs: ["\u001b]0;t\u0007"],
          outputs: ["\u001b[2J\r\nfake <script>"],
          name: "\u009b31m",
        },
      ],
      inputs: [{ name: "\u001b]0;t\u0007", shape: ["\u001b[31m", 4] }],
      outputs: ["\u001b[2J\r\nfake <script>"],
    }),
    "an operator that is a command to a terminal": onnxFile({
      nodes: [{ op: "\u001b[2JFoo", inputs: ["x"], outputs: ["y"], name: "\u001b]52;c;aGk=\u0007" }],
    }),
    "names of Object's prototype": onnxFile({
      nodes: [
        { op: "Relu", inputs: ["__proto__"], outputs: ["constructor"], name: "toString" },
        { op: "Neg", inputs: ["constructor"], outputs: ["valueOf"], name: "__proto__" },
      ],
      inputs: [{ name: "__proto__", shape: ["batch", 4] }],
      outputs: ["valueOf"],
    }),
    "an output that is a path": onnxFile({
      nodes: [{ op: "Relu", inputs: ["x"], outputs: ["../../up"] }],
      outputs: ["../../up"],
    }),
    "300000 outputs of one value": graphOf(
      field(
        1,
        Buffer.concat([
          field(1, Buffer.from("x")),
          field(2, Buffer.from("y")),
          field(4, Buffer.from("Relu")),
        ]),
      ),
      field(11, info("x")),
      repeated(12, 100_000, info("y")),
    ),
  };
  return made;
};

/** Sealed artifacts whose metadata are what the text says. */
function sealedBy(
  metadata: Readonly<Record<string, string>>,
  entries: Readonly<Record<string, unknown>> = {},
): Uint8Array {
  const text = JSON.stringify({
    __metadata__: {
      ...metadata,
      tensor_hashes: "0".repeat(32 * Object.keys(entries).length),
      file_hash: "0".repeat(64),
    },
    ...entries,
  });
  const encoded = Buffer.from(text);
  const padded = Buffer.concat([
    Buffer.alloc(8),
    encoded,
    Buffer.alloc((64 - ((8 + encoded.length) % 64)) % 64, 0x20),
  ]);
  padded.writeBigUInt64LE(BigInt(padded.length - 8), 0);
  return resealed(padded);
}

const artifacts = (): Record<string, Uint8Array> => {
  const graph = {
    name: "g",
    strings: ["x", "y", "r"],
    inputs: [[0, "f32", ["N", 4]]],
    outputs: [1],
    scalars: [],
    nodes: [["Relu", 2, {}, [0], [1]]] as unknown[],
  };
  const base = {
    format: "octette",
    version: `${ARTIFACT_VERSION}`,
    graph: JSON.stringify(graph),
    content_hash: "0".repeat(64),
    provenance: "{}",
  };
  const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const reshapes = {
    ...graph,
    strings: ["x", ...Array.from({ length: 16_001 }, (_, i) => `v${i}`)],
    inputs: [[0, "f32", [4, 4]]],
    outputs: [16_000],
    nodes: Array.from({ length: 16_000 }, (_, i) => [
      "Reshape",
      i + 1,
      { shape: i % 2 ? [-1, 4] : [4, -1] },
      [i],
      [i + 1],
    ]),
  };
  return {
    "provenance nested 200000 deep": sealedBy({ ...base, provenance: `{"a":${deep(200_000)}}` }),
    "graph nested 500000 deep": sealedBy({ ...base, graph: deep(500_000) }),
    "attribute nested 100000 deep": sealedBy({
      ...base,
      graph: base.graph.replace("{}", `{"a":${deep(100_000)}}`),
    }),
    "300000 empty tensors": sealedBy(
      base,
      Object.fromEntries(
        Array.from({ length: 300_000 }, (_, i) => [
          `t${i}`,
          { dtype: "F32", shape: [0], data_offsets: [0, 0] },
        ]),
      ),
    ),
    "an input of 900000000": sealedBy({ ...base, graph: base.graph.replace('["N",4]', "[1,900000000]") }),
    "a batch of names": sealedBy({
      ...base,
      graph: base.graph.replace('"g"', JSON.stringify(`\u001b[31m${"A".repeat(1_000_000)}`)),
    }),
    "16000 reshapes": sealedBy({ ...base, graph: JSON.stringify(reshapes) }),
    "attributes of a million numbers": sealedBy({
      ...base,
      graph: JSON.stringify({
        ...graph,
        nodes: [
          [
            "Slice",
            2,
            { starts: Array(300_000).fill(0), ends: Array(300_000).fill(1), axes: Array(300_000).fill(1) },
            [0],
            [1],
          ],
        ],
      }),
    }),
    "a length of 2^62": Buffer.from([
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0x40,
      ...Buffer.from('{"__metadata__":{"format":"octette"}}'),
    ]),
  };
};

const packed = (bytes: Uint8Array): Promise<Uint8Array> => promisify(gzip)(bytes, { level: 9 });
const zipped = (files: AsyncZippable): Promise<Uint8Array> => promisify(zip)(files);

/** A header that says an array of 400 MB. */
const npyHeader = Buffer.concat([
  Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]),
  Buffer.from(`${`{'descr': '|u1', 'fortran_order': False, 'shape': (${10 ** 8}, 4), }`.padEnd(117)}\n`),
]);

/** Made when asked for and beside the event loop, on which the commands' ends are awaited. */
const data: Readonly<Record<string, () => Uint8Array | Promise<Uint8Array>>> = {
  "rows.csv.gz": () => packed(Buffer.from("1,2,3,4\n".repeat(20_000_000))),
  "columns.csv": () => Buffer.from(`${"1,".repeat(2_000_000)}1\n`),
  "quotes.csv": () => Buffer.from('"'.repeat(1_000_001)),
  "lines.csv": () => Buffer.from("\n".repeat(1_000_000)),
  "zeros.npy.gz": () => packed(new Uint8Array(400_000_000)),
  "zeros.npz": () => zipped({ "x.npy": [Buffer.concat([npyHeader], 4e8 + npyHeader.length), { level: 1 }] }),
  "many.npz": () =>
    zipped(
      Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`a${i}.npy`, [npyHeader, { level: 0 }]])),
    ),
  "dims.idx": () => Buffer.from([0, 0, 8, 255, ...Array(255 * 4).fill(255)]),
};

/** Every hostile file by its name, with its ending: made when asked for, for some are large before they are packed. */
export async function* hostileFiles(): AsyncGenerator<
  readonly [name: string, ending: "onnx" | "octette" | "data", bytes: Uint8Array]
> {
  for (const make of [chains, symbols, numbers, parts])
    for (const [name, bytes] of Object.entries(make())) yield [name, "onnx", bytes];
  for (const [name, bytes] of Object.entries(artifacts())) yield [name, "octette", bytes];
  for (const [name, make] of Object.entries(data)) yield [name, "data", await make()];
}
