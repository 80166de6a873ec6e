// Options of commands: what each kind of value is written as, and those that several commands have.

import { parseBytes } from "../bytes";
import { parseNormalize } from "../data/index";
import { FILTERS } from "../pictures/options";

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface OptionSpec<T = unknown> {
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in help, such as FILE; without one it is on or off. */
  readonly value?: string;
  /** The value names files that the command reads, which it must not replace. */
  readonly reads?: boolean;
  /** The value may be left out: then the text is "". */
  readonly isOptional?: boolean;
  /** Of such an option: what the next argument looks like where it is the value; a number, unless it says otherwise. */
  readonly looks?: RegExp;
  /** Of an option that must be given: what is asked where it is not. */
  readonly needed?: string;
  readonly help: string;
  /** The value of a text. Throws a UsageError where it is none. */
  readonly parse: (text: string, name: string) => T;
}

export const flag = (help: string) => ({ help, parse: () => true }) satisfies OptionSpec<boolean>;

/** Any text: a name, a file, a pattern. */
export const text = (value: string, help: string) =>
  ({ value, help, parse: (text) => text }) satisfies OptionSpec<string>;

/** A value of which `read` makes something other than undefined. */
const read = <T>(value: string, help: string, expected: string, of: (text: string) => T | undefined) => ({
  value,
  help,
  parse(text: string, name: string): T {
    const found = of(text);
    if (found !== undefined) return found;
    throw new UsageError(`--${name} must be ${expected}, got "${text}"`);
  },
});

/** A whole number of at least `least`. */
export const wholeNumber = (least: number, help: string) =>
  read("N", help, `a whole number from ${least}`, (text) => {
    const number = Number(text);
    return Number.isSafeInteger(number) && number >= least && text.trim() !== "" ? number : undefined;
  });

/** A number above 0. */
export const positiveNumber = (value: string, help: string) =>
  read(value, help, "a number above 0", (text) =>
    Number(text) > 0 && Number(text) < Infinity ? Number(text) : undefined,
  );

/** A number of at least `least` and at most `most`. */
export const numberFrom = (least: number, most: number, help: string) =>
  read("X", help, `a number from ${least}${most < Infinity ? ` to ${most}` : ""}`, (text) => {
    const number = Number(text);
    return number >= least && number <= most && text.trim() !== "" && number < Infinity ? number : undefined;
  });

/** One of a few words. */
export const choice = <const T extends string>(value: string, words: readonly T[], help: string) =>
  read(value, help, `one of ${words.join(", ")}`, (text) => words.find((word) => word === text));

/** Names between commas. */
export const list = (value: string, help: string) => ({
  value,
  help,
  parse: (text: string) => text.split(",").map((name) => name.trim()),
});

/** Yes or no, where neither is what holds without it. */
export const yesNo = (help: string) =>
  read("yes|no", help, "yes or no", (text) => (text === "yes" ? true : text === "no" ? false : undefined));

/** For commands that make a model of a file. */
export const MAX_BYTES = read(
  "SIZE",
  "most memory of a model, such as 64MB (default 1GiB): one that takes more is refused",
  "a size such as 64MB or 4096",
  parseBytes,
);

/** For commands that run a model. */
export const THREADS = wholeNumber(
  1,
  "share large steps among N threads (default 1); the results are the same",
);

/** How states of tokens become an embedding. */
export const POOLING = choice(
  "HOW",
  ["mean", "cls", "last"],
  "embeddings: mean of all tokens, the first, or a decoder's last (default: as the folder says)",
);

const bits = choice(
  "N",
  ["2", "3", "4", "5", "6", "7", "8"],
  "bits of a weight, 2 to 8 (default); below 8 octette tune brings accuracy back",
);
export const BITS = { ...bits, parse: (text: string, name: string) => Number(bits.parse(text, name)) };

export const SEED = wholeNumber(0, "seed of everything random (default 0)");

export const NORMALIZE = {
  value: "SPEC",
  help: "scale,mean,std[,nhwc][,numbers], or imagenet, cifar10, cifar100, mnist, 0..1, -1..1: inputs become (x · scale − mean) / std; stored in the artifact",
  parse(spec: string) {
    try {
      return parseNormalize(spec);
    } catch (error) {
      throw new UsageError(`--${(error as Error).message}`);
    }
  },
} satisfies OptionSpec;

export const LABELS_FROM = {
  ...text(
    "WHERE",
    "array, column (first, last, a header) or file of the labels; of a folder, a CSV of files and labels",
  ),
  reads: true,
};

/** How data are read; the library's `openDataset` has the same names. */
export const DATA_OPTIONS = {
  normalize: NORMALIZE,
  labels: LABELS_FROM,
  resize: text("SIZE", "pictures: their shorter side, such as 256, or WIDTHxHEIGHT"),
  crop: text("SIZE", "pictures: the middle of this size (default: the model's input)"),
  filter: choice("HOW", FILTERS, "pictures: bilinear (default), bicubic or nearest, as PIL resizes"),
  features: text("SPEC", "sounds: logmel or mfcc, as mfcc,like=tensorflow,mels=40 (docs/data.md)"),
  "sample-rate": wholeNumber(1, "sounds: samples a second that the model takes; others are resampled"),
  columns: list("a,b,c", "CSV: the columns of features; * stands for anything"),
  header: yesNo("CSV: whether the first line names the columns (default: as it looks)"),
  missing: choice("HOW", ["refuse", "mean", "drop"], "CSV: values that are missing (default refuse)"),
  group: text("COLUMN", "CSV: which recording a row is of; no window goes across two"),
  window: wholeNumber(1, "CSV, sounds: rows, or samples of the sound, over time"),
  stride: wholeNumber(1, "from one window to the next (default: as many as a window has)"),
  "window-label": choice("HOW", ["majority", "last"], "label of a window of rows (default majority)"),
};

export const output = (what: string) => ({
  ...text("FILE", `where the ${what} goes; a file there is replaced`),
  short: "o",
  needed: `where should the ${what} go?`,
});

export const folder = (help: string) => ({
  ...text("DIR", help),
  short: "o",
  needed: "where should the files go?",
});

/** Names of classes: in a file, one a line, or joined by commas. */
export const CLASSES = {
  ...text("NAMES", "names of the classes in the order of the scores: a file with one a line, or a,b,c"),
  reads: true,
};

/** What DATA may be. */
export const DATA_HELP =
  "DATA is a folder of PNG, JPEG or WAV files, one folder a class (or --labels with a CSV of files and labels), a .npz with arrays named like the model's inputs (and labels), an IDX or .npy file (labels beside it, or as IMAGES,LABELS), CIFAR's .bin, or a CSV with an optional label column. Files may be gzipped.";
