// octette/nn: models written as PyTorch writes them, and trained in the loop its books have. What they become is the graph
// that everything else takes.

export { DataLoader, type DataLoaderOptions, type Samples } from "./data-loader";
export {
  add,
  cat,
  DeQuantStub,
  Dropout,
  Flatten,
  GELU,
  LayerNorm,
  mul,
  QuantStub,
  ReLU,
  ReLU6,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
  type Unary,
} from "./elementwise";
export {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  MaxPool2d,
  type Pool2d,
  type PoolOptions,
  type Size2d,
} from "./images";
export type { NormOptions } from "./initial";
export { Embedding, Linear, type LinearOptions } from "./linear";
export { type CrossEntropyOptions, crossEntropyLoss, type Loss, mseLoss } from "./losses";
export { type Layer, Module, type StateDict } from "./module";
export { AdamW, type Optimizer, SGD } from "./optimizers";
export {
  convert,
  fuse,
  type InputOptions,
  type LayerClass,
  type PrepareQatOptions,
  prepareQat,
  quantizeDynamic,
  trainable,
} from "./quantize";
export { GRU, LSTM, type Recurrent, type RecurrentOptions, RNN } from "./recurrent";
export { trace } from "./trace";
export type { Output, Parameter, Trainable } from "./trainable";
export type { Value } from "./value";
