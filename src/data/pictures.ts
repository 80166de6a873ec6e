// Pictures in files as samples: decoded, resized and cropped as batches of them are read, so that a folder of any size takes the memory of
// one batch.

import { OctetteError } from "../errors";
import type { Input } from "../graph/graph";
import { readPicture } from "../pictures/decode";
import type { PictureOptions } from "../pictures/options";
import { pictureTarget, preparePicture } from "../pictures/prepare";
import { type Dataset, type DatasetOptions, datasetOf } from "./dataset";
import type { Labelled } from "./folders";
import { madeRows } from "./sample-rows";

/** Pictures that are looked at before it is said that some are resized. */
const LOOKED_AT = 8;

/** Samples of picture files for a model's input. */
export function openPictures(
  { files, labels, classes }: Labelled,
  input: Input,
  pictureOptions: PictureOptions,
  options: DatasetOptions & { readonly where: string },
): Dataset {
  const { where, normalize, notes = [] } = options;
  const target = pictureTarget(input, pictureOptions, normalize ?? input.preprocessing);
  const samples = madeRows("u8", [files.length, ...target.sample], (row, out, at) => {
    const { name, read } = files[row]!;
    const place = name === where ? where : `${where}/${name}`;
    preparePicture(readPicture(read(), place), target, out, at, place);
  });
  const { resize, crop } = pictureOptions;
  const isOther = (file: Labelled["files"][number]) => {
    try {
      const { width, height } = readPicture(file.read(), file.name);
      return width !== target.width || height !== target.height;
    } catch {
      // Whoever reads it as a sample is told.
      return false;
    }
  };
  const every = Math.ceil(files.length / LOOKED_AT);
  const isTold =
    resize === undefined && crop === undefined && files.some((file, i) => i % every === 0 && isOther(file));
  const size = `${target.width}x${target.height}`;
  const note = `${where}: pictures of another size than ${size} are resized to cover it (${target.filter}) and cropped in the middle; --resize and --crop change that`;
  return datasetOf(new Map([[input.name, samples]]), [input], {
    ...options,
    ...(labels && { labels: { dtype: "i32", shape: [labels.length], data: labels } }),
    classes,
    notes: [...notes, ...(isTold ? [note] : [])],
  });
}

/** Throws where there are files that look like pictures and are of a format that is not read. */
export function checkPictureNames(names: readonly string[], where: string): void {
  const other = names.find((name) => /\.(gif|webp|bmp|tiff?|heic|heif|avif|jxl|jp2|ppm|pgm)$/i.test(name));
  if (other === undefined) return;
  throw new OctetteError("holds a picture of a format that is not read", {
    code: "unsupported",
    where,
    expected: "PNG or JPEG",
    got: `"${other}"`,
    hint: "Convert it, or move it elsewhere",
  });
}
