// Data sets: samples from files and arrays, as a model's inputs want them.

export { createDataset, type Dataset, type DatasetOptions } from "./dataset";
export { MAX_DATA_BYTES, type NamedBytes, type Source } from "./files";
export { formatNormalize, parseNormalize } from "./normalize";
export { type OpenOptions, openDataset } from "./open";
