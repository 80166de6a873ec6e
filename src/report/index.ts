// Reports: what quantization cost, as numbers and as text.

export { agreementOf, answersOf, type PairedTest, pairedTest } from "./answers";
export {
  type Benchmark,
  type BenchmarkOptions,
  benchmark,
  type Profile,
  type Speed,
  type Spread,
  type StepSpeed,
} from "./benchmark";
export type { Arithmetic } from "./ceiling";
export type { ClassAccuracy, Confusion } from "./class-counts";
export {
  type Comparison,
  compare,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationData,
  evaluate,
  type LabelledBatch,
  type OutputDifference,
  type Runnable,
} from "./evaluate";
export type { CreateModel, LayerError } from "./layers";
export { mcnemar, NoiseMeter } from "./metrics";
