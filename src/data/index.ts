// Data sets: samples from files and arrays, as a model's inputs want them.

export { createDataset, type Dataset, type DatasetOptions } from "./dataset";
export type { DataSource, NamedBytes } from "./files";
export { formatNormalize, parseNormalize, withPreprocessing } from "./normalize";
export { type OpenOptions, openDataset } from "./open";
export type { LabelledSamples, SampleFeeds } from "./sample-feeds";
export {
  createSamples,
  readSamples,
  SampleBuffer,
  type SamplesOptions,
} from "./samples";
