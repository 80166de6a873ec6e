// CIFAR's records as samples, their classes named by the text files that are packed with them.

import { FormatError } from "../errors";
import { readCifar } from "../formats/cifar";
import type { Input } from "../graph/graph";
import { createDataset, type Dataset, type DatasetOptions } from "./dataset";
import { type DataSource, exists, type NamedBytes, readSource } from "./files";

/** Samples of a file of CIFAR for a model's input; of CIFAR-100 with their fine labels, or with the coarse ones. */
export async function openCifar(
  { bytes, name }: NamedBytes,
  source: DataSource,
  input: Input,
  { isCoarse, ...options }: DatasetOptions & { readonly isCoarse: boolean },
): Promise<Dataset> {
  const { images, labels, classes, coarse } = readCifar(bytes, name);
  const takesCoarse = isCoarse && coarse !== undefined;
  const file = takesCoarse ? COARSE : classes === 10 ? TEN : FINE;
  const names = await namesBeside(source, file);
  return createDataset({ [input.name]: images }, [input], {
    ...options,
    labels: takesCoarse ? coarse : labels,
    ...(names && { classes: names }),
  });
}

interface NamesFile {
  readonly name: string;
  readonly count: number;
}

const TEN: NamesFile = { name: "batches.meta.txt", count: 10 };
const FINE: NamesFile = { name: "fine_label_names.txt", count: 100 };
const COARSE: NamesFile = { name: "coarse_label_names.txt", count: 20 };

/** The names in a file beside the records, one a line; undefined where there is none. */
async function namesBeside(
  source: DataSource,
  { name, count }: NamesFile,
): Promise<readonly string[] | undefined> {
  if (typeof source !== "string") return undefined;
  const path = source.slice(0, Math.max(source.lastIndexOf("/"), source.lastIndexOf("\\")) + 1) + name;
  if (!(await exists(path))) return undefined;
  const { bytes } = await readSource(path);
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const names = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (new Set(names).size === count && names.length === count) return names;
  throw new FormatError("does not name CIFAR's classes", {
    where: path,
    expected: `${count} names, one a line`,
    got: `${names.length} lines, ${new Set(names).size} different`,
  });
}
