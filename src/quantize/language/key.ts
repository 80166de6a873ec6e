// What interrupted work is known by when it goes on.

import type { LanguageGraph } from "../../formats/language-source";
import { createSha256 } from "../../graph/sha256";
import { bytesIn, sizeOf } from "../../graph/tensor";
import type { QuantizeLanguageOptions } from "./options";

/** Constants of no more elements tell two sources apart. */
const MARK_ELEMENTS = 2 ** 14;

/** The key of a piece of work: the source, its small constants, and the options. */
export async function keyOf(source: LanguageGraph, options: QuantizeLanguageOptions): Promise<string> {
  const { bits, large, naive, floatCache, calibration, seed } = options;
  const hash = createSha256();
  const add = (value: unknown) => hash.update(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  const text = typeof calibration === "string" ? calibration : calibration && Array.from(calibration);
  add([bits, large, naive, floatCache, seed, text]);
  add(source.graph.nodes);
  for (const [name, { dtype, shape }] of source.graph.constants) {
    add([name, dtype, shape]);
    if (sizeOf(shape) <= MARK_ELEMENTS) hash.update(bytesIn((await source.read(name)).data));
  }
  return hash.digest();
}
