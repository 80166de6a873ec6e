// Opening data, as the toolkit exports it: what it takes is loaded with the first call.

import type { Input, Preprocessing } from "../graph/graph";
import type { PictureOptions } from "../pictures/options";
import type { SoundOptions } from "../sound/options";
import type { Dataset } from "./dataset";
import type { DataSource } from "./files";
import type { TableOptions } from "./table-options";

/** Options of `openDataset`. */
export interface OpenOptions extends PictureOptions, SoundOptions, TableOptions {
  /** How numbers of the file become the model's: `scale,mean,std`, or as an object. Default: what the model's inputs carry, of bytes. */
  readonly normalize?: string | Preprocessing | undefined;
  /**
   * Where labels are: the array of a .npz (default `labels`), the column of a CSV (`first`, `last` or its header;
   * default: the column headed `label`, else the column that the model's input does not take), for IDX and .npy a
   * file of their own (default: the file named `labels` where this one is named `images`, if there is one), for a folder
   * a CSV of files and labels (default: the class of a file is the folder it lies in), or for CIFAR-100 `coarse` (default: the fine ones).
   * Labels that are not all whole numbers are numbers to find: the data set has them as `targets`.
   */
  readonly labels?: string | DataSource | undefined;
  /** Stops reading the source: `openDataset` throws the signal's reason. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a file as samples for a model's inputs.
 * @throws OctetteError or FormatError that names file, array, expected and got.
 */
export async function openDataset(
  source: DataSource,
  inputs: readonly Input[],
  options: OpenOptions = {},
): Promise<Dataset> {
  const { openData } = await import("./open-data");
  return openData(source, inputs, options);
}
