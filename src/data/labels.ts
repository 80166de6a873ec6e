// Labels as data have them: classes, which are whole numbers, or numbers to find.

import { OctetteError } from "../errors";
import { formatShape } from "../graph/symbols";
import { checkTensor, sizeOf, type Tensor } from "../graph/tensor";

/** Labels of any type, [n] or [n, 1]: classes where all are whole, else targets. Throws where one has no class name. */
export function readLabels(
  given: Tensor | undefined,
  classes: readonly string[] | undefined,
  where: string,
): { readonly labels?: Int32Array; readonly targets?: Float32Array } {
  if (!given) return {};
  checkTensor(given, `${where}, labels`);
  const { shape } = given;
  const data = given.data as Float32Array;
  const fail = (expected: string, got: string) =>
    new OctetteError("labels do not fit", { code: "argument", where: `${where}, labels`, expected, got });
  if (shape.length === 0 || sizeOf(shape) !== shape[0])
    throw fail("one number for each sample", `an array ${formatShape(shape)}`);
  const bad = classes ? data.findIndex((v) => !(v in classes)) : -1;
  if (bad >= 0) throw fail(`0 to ${classes!.length - 1}`, `${data[bad]} at ${bad}`);
  const lost = data.findIndex((v) => !Number.isFinite(Math.fround(v)));
  if (lost >= 0) throw fail("numbers that f32 holds", `${data[lost]} at ${lost}`);
  const isWhole = data.every((v) => v === (v | 0));
  return isWhole ? { labels: Int32Array.from(data) } : { targets: Float32Array.from(data) };
}
