// The types of octette/runtime, which octette has too.

export type { KernelClass, Verdict, WasmSource } from "../engine/classes";
export type { RelaxedDot } from "../engine/features";
export type { Feed, Feeds, Into } from "../engine/feeds";
export type { Model, ModelOptions, StepProfile, Tapped } from "../engine/model";
export type { BytesSource } from "../engine/source";
export type { Stream, StreamOptions } from "../engine/stream";
export type { Threads } from "../engine/threads";
export type { Carried, ClassInfo, EngineClass, EngineInfo, WasmSources } from "../engine/wasm";
export type { ErrorCode, ErrorFields } from "../errors";
export type {
  Attribute,
  CodeParameters,
  Codes,
  Graph,
  GroupScales,
  Input,
  Node,
  Preprocessing,
  State,
  ValueType,
} from "../graph/graph";
export type { Bindings, Dim, Shape } from "../graph/symbols";
export type { Constant, DType, Elements, OutputTensor, Tensor, TypedArray } from "../graph/tensor";
export type { Registry } from "../ops/infer";
export type { Layout, Op } from "../ops/op";
export type { LoadOptions, Runtime } from "./runtime";
