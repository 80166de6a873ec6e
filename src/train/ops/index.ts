// Ops that only training has, by the names that gradient rules write.

import type { Op } from "../../ops/op";
import {
  absGradient as AbsGradient,
  clipGradient as ClipGradient,
  eluGradient as EluGradient,
  erfGradient as ErfGradient,
  geluGradient as GeluGradient,
  hardSigmoidGradient as HardSigmoidGradient,
  hardSwishGradient as HardSwishGradient,
  leakyReluGradient as LeakyReluGradient,
  sigmoidGradient as SigmoidGradient,
  siluGradient as SiluGradient,
  tanhGradient as TanhGradient,
} from "./elementwise";
import { extremes as Extremes } from "./extremes";
import { gatherGradient as GatherGradient } from "./gather";
import {
  layerNormalizationGradient as LayerNormalizationGradient,
  layerNormalizationScaleGradient as LayerNormalizationScaleGradient,
} from "./layer-normalization";
import { lookupGradient as LookupGradient } from "./lookup";
import { averagePoolGradient as AveragePoolGradient, maxPoolGradient as MaxPoolGradient } from "./pool";
import { reduceMeanGradient as ReduceMeanGradient } from "./reduce-mean";
import {
  beginRounds as BeginRounds,
  endRounds as EndRounds,
  putRows as PutRows,
  takeRows as TakeRows,
} from "./rows";
import { sliceGradient as SliceGradient } from "./slice";
import { logSoftmaxGradient as LogSoftmaxGradient, softmaxGradient as SoftmaxGradient } from "./softmax";
import { sumTo as SumTo } from "./sum-to";
import { zeros as Zeros } from "./zeros";

export const trainingOps = {
  AbsGradient,
  AveragePoolGradient,
  BeginRounds,
  ClipGradient,
  EluGradient,
  EndRounds,
  ErfGradient,
  Extremes,
  GatherGradient,
  GeluGradient,
  HardSigmoidGradient,
  HardSwishGradient,
  LayerNormalizationGradient,
  LayerNormalizationScaleGradient,
  LeakyReluGradient,
  LogSoftmaxGradient,
  LookupGradient,
  MaxPoolGradient,
  PutRows,
  ReduceMeanGradient,
  SigmoidGradient,
  SiluGradient,
  SliceGradient,
  SoftmaxGradient,
  SumTo,
  TakeRows,
  TanhGradient,
  Zeros,
} satisfies Record<string, Op>;
