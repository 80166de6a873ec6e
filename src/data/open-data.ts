// Opens data for a model: a folder of pictures or recordings, or a file. What a file is, its first bytes say: a zip of arrays (.npz), one
// array (.npy), IDX (MNIST's format), CIFAR's records, a picture, a recording, or else CSV text; gzip around any of them is unpacked.

import { type BytesSource, nameOf } from "../engine/source";
import { FormatError, OctetteError } from "../errors";
import { isCifar } from "../formats/cifar";
import { readIdx } from "../formats/idx";
import { readNpy } from "../formats/npy";
import { readNpz } from "../formats/npz";
import type { Input } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import { PICTURE } from "../pictures/options";
import { isWav } from "../sound/mark";
import { SOUND } from "../sound/options";
import { createDataset, type Dataset } from "./dataset";
import { type DataSource, exists, isFolder, type NamedBytes, readSource } from "./files";
import { parseNormalize } from "./normalize";
import type { OpenOptions } from "./open";
import { TABLE } from "./table-options";

const OPEN = {
  ...PICTURE,
  ...SOUND,
  ...TABLE,
  normalize: 1,
  labels: 1,
  signal: 1,
} satisfies Names<OpenOptions>;

type Format = "npz" | "npy" | "idx" | "cifar" | "csv" | "picture" | "sound";

/** Options that only some kinds of data have. */
const KINDS = { ...PICTURE, ...SOUND, ...TABLE };
const optionsOf: Readonly<Partial<Record<Format, object>>> = {
  picture: PICTURE,
  sound: { ...SOUND, window: 1, stride: 1 },
  csv: TABLE,
};

/** Throws where an option was given that does nothing for these data. */
export function checkFormatOptions(options: OpenOptions, format: Format, where: string): void {
  const own = optionsOf[format] ?? {};
  const given = Object.keys(KINDS).find(
    (name) => options[name as keyof OpenOptions] !== undefined && !Object.hasOwn(own, name),
  );
  if (given === undefined) return;
  const kinds = Object.entries(optionsOf).flatMap(([kind, names]) =>
    Object.hasOwn(names, given) ? [kind] : [],
  );
  throw new OctetteError(`the option ${given} is for data of another kind`, {
    code: "argument",
    where,
    expected: kinds.join(" or "),
    got: format,
    hint: "Leave it out",
  });
}

/** What the bytes are, by how they begin. */
function formatOf({ bytes, name }: NamedBytes): Format {
  const begins = (...start: number[]) => start.every((b, i) => bytes[i] === b);
  if (begins(0x50, 0x4b)) return "npz";
  if (begins(0x93, 0x4e, 0x55, 0x4d)) return "npy";
  if (begins(0x89, 0x50, 0x4e, 0x47) || begins(0xff, 0xd8, 0xff)) return "picture";
  if (isWav(bytes)) return "sound";
  // Of one record a file of IDX could look the same.
  if (bytes.length > 4096 && isCifar(bytes)) return "cifar";
  if (begins(0, 0) && bytes.length >= 4) return "idx";
  const head = bytes.subarray(0, 4096);
  if (bytes.length === 0) throw new FormatError("the file is empty", { where: name });
  const binary = head.findIndex((b) => b < 9 || (b > 13 && b < 32));
  if (binary < 0) return "csv";
  if (isCifar(bytes)) return "cifar";
  throw new FormatError("is not data that octette reads", {
    where: name,
    offset: 0,
    expected:
      ".npz, .npy, IDX, PNG, JPEG, WAV, CIFAR's .bin or CSV (any of them also as .gz), or a folder of pictures or recordings",
    got: `bytes ${[...head.subarray(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join(" ")}`,
  });
}

/** Images and labels of `images,labels`, unless a file has just that name. */
async function splitPair(source: DataSource): Promise<{ data: DataSource; labels?: string }> {
  if (typeof source !== "string" || !source.includes(",") || (await exists(source))) return { data: source };
  const [data, labels, ...rest] = source.split(",");
  if (!data || !labels || rest.length > 0)
    throw new OctetteError("cannot be read as a pair of files", {
      code: "argument",
      where: source,
      expected: "images,labels",
    });
  return { data, labels };
}

/** The labels that lie beside a file of images, as MNIST's four files do. */
export async function siblingLabels(path: DataSource): Promise<string | undefined> {
  if (typeof path !== "string") return undefined;
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  const file = path.slice(at);
  const sibling = file.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1");
  return sibling !== file && file.includes("images") && (await exists(path.slice(0, at) + sibling))
    ? path.slice(0, at) + sibling
    : undefined;
}

async function readLabels(source: DataSource, signal: AbortSignal | undefined): Promise<Tensor> {
  const file = await readSource(source, signal);
  const format = formatOf(file);
  if (format === "idx") return readIdx(file.bytes, file.name);
  if (format === "npy") return readNpy(file.bytes, file.name);
  throw new FormatError("is not a file of labels", {
    where: file.name,
    expected: "IDX or .npy",
    got: `.${format}`,
  });
}

/** Opens a source as samples for a model's inputs. */
export async function openData(
  source: DataSource,
  inputs: readonly Input[],
  options: OpenOptions,
): Promise<Dataset> {
  checkOptions("openDataset", options, OPEN);
  if (!Array.isArray(inputs))
    throw new OctetteError("inputs must be those of a model", {
      code: "argument",
      where: "inputs",
      expected: "those of a graph or a model: graph.inputs",
      got: typeof inputs,
    });
  const normalize =
    typeof options.normalize === "string" ? parseNormalize(options.normalize) : options.normalize;
  const pair = await splitPair(source);
  const asked = pair.labels ?? options.labels;
  if (isFolder(pair.data)) {
    const { openFolder } = await import("./open-folder.js");
    return openFolder(
      pair.data,
      onlyInput(inputs, "a file of a folder is one input", nameOf(pair.data as BytesSource, "files")),
      {
        ...options,
        normalize,
        labels: asked,
      },
    );
  }
  const file = await readSource(pair.data, options.signal);
  const where = file.name;
  const format = formatOf(file);
  const common = { where, normalize };
  checkFormatOptions(options, format, where);

  if (format === "npz") {
    const arrays = readNpz(file.bytes, where);
    const name = typeof asked === "string" ? asked : "labels";
    const labels = arrays.get(name);
    if (asked !== undefined && !labels)
      throw new OctetteError(`has no array "${name}" for the labels`, {
        code: "argument",
        where,
        got: [...arrays.keys()].map((n) => `"${n}"`).join(", "),
      });
    return createDataset(arrays, inputs, { ...common, labels });
  }

  const input = onlyInput(inputs, `.${format} holds one array`, where);
  if (format === "picture") {
    const { openPictures } = await import("./pictures.js");
    const files = [{ name: where, read: () => file.bytes }];
    return openPictures({ files }, input, options, common);
  }
  if (format === "sound") {
    const { openSounds } = await import("./sounds.js");
    const files = [{ name: where, read: () => file.bytes }];
    return openSounds({ files }, input, options, common);
  }
  if (format === "csv") {
    const { openCsv } = await import("./tables.js");
    return openCsv(file, input, common, options, typeof asked === "string" ? asked : undefined);
  }
  if (format === "cifar") {
    const { openCifar } = await import("./cifar.js");
    return openCifar(file, pair.data, input, { ...common, isCoarse: asked === "coarse" });
  }
  const data = format === "idx" ? readIdx(file.bytes, where) : readNpy(file.bytes, where);
  const labelSource = asked ?? (format === "idx" ? await siblingLabels(pair.data) : undefined);
  const labels = labelSource === undefined ? undefined : await readLabels(labelSource, options.signal);
  const notes = labels && asked === undefined ? [`labels taken from ${labelSource}`] : [];
  return createDataset({ [input.name]: data }, inputs, { ...common, notes, labels });
}

/** The one input of a model; data of other kinds than .npz are for no more. */
function onlyInput(inputs: readonly Input[], what: string, where: string): Input {
  const [input, ...others] = inputs;
  if (input && others.length === 0) return input;
  throw new OctetteError(`${what}, but the model has ${inputs.length} inputs`, {
    code: "argument",
    where,
    expected: `an .npz with arrays ${inputs.map((i) => `"${i.name}"`).join(", ")}`,
  });
}
