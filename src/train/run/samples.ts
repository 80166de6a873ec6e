// Which samples are trained on, which ones choose the state that is kept, and the random numbers of a run.

import type { Dataset } from "../../data/index";
import { sampleIndices } from "../../data/sampling";
import { OctetteError } from "../../errors";
import { Random } from "../../graph/random";
import { createSha256 } from "../../graph/sha256";
import { bytesIn, type TypedArray } from "../../graph/tensor";

/** Samples to train on and samples to validate on. */
export function divided(data: Dataset, validation: Dataset | number, seed: number) {
  for (const set of [data, ...(typeof validation === "number" ? [] : [validation])])
    if (!set.labels || set.count === 0)
      throw new OctetteError("samples need labels", {
        code: "argument",
        where: "tune",
        got: `${set.count} samples${set.labels ? "" : " without labels"}`,
        hint: "A .npz needs an array named labels; other files take the option labels (--labels)",
      });
  if (typeof validation !== "number") return { data, validation };
  const count = Math.floor(data.count * validation);
  if (!(validation > 0 && validation < 1) || count < 1)
    throw new OctetteError("there is nothing to validate on", {
      code: "argument",
      where: "validation",
      expected: `samples, or a part of the ${data.count} there are, between 0 and 1`,
      got: `${validation}`,
    });
  const aside = sampleIndices(data.count, count, seed);
  const isAside = new Set(aside);
  const rest = Array.from({ length: data.count }, (_, i) => i).filter((i) => !isAside.has(i));
  return { data: data.pick(rest), validation: data.pick(aside) };
}

/** Samples of which a fingerprint looks at every number. */
const LOOKED_AT = 16;

/** Tells data sets apart: a hash of all labels and of some samples. */
export function fingerprint(data: Dataset): string {
  const hash = createSha256();
  const some = Array.from({ length: Math.min(LOOKED_AT, data.count) }, (_, i) =>
    Math.floor((i * data.count) / Math.min(LOOKED_AT, data.count)),
  );
  for (const fed of Object.values(data.at(some)))
    hash.update(bytesIn((ArrayBuffer.isView(fed) ? fed : fed.data) as TypedArray));
  return hash.update(bytesIn(data.labels!)).digest().slice(0, 16);
}

/** What random numbers are for: each epoch and step has numbers of its own, so that none depend on where training began. */
export const [ORDER, FLIPS, MASKS] = [1, 2, 3];

export const randomFor = (seed: number, purpose: number, index: number) =>
  new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(purpose, 0x85ebca6b) ^ Math.imul(index, 0xc2b2ae35));
