// Which ops work on codes, beside Conv, Gemm, MatMul, Add and Concat: what the quantizer and the importer both go by.

/** Ops that move codes without computing: their output has the scale and zero point of their input. */
export const movesCodes: ReadonlySet<string> = new Set([
  "MaxPool",
  "GlobalMaxPool",
  "Dropout",
  "Flatten",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "Slice",
  "Resize",
]);

/** Functions of one value: a table of 256 codes. */
export const tables: ReadonlySet<string> = new Set([
  "Relu",
  "Clip",
  "LeakyRelu",
  "Elu",
  "Sigmoid",
  "Tanh",
  "Silu",
  "HardSwish",
  "HardSigmoid",
  "Gelu",
]);

export const poolings: ReadonlySet<string> = new Set(["AveragePool", "GlobalAveragePool"]);
