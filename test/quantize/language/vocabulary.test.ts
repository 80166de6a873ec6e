// Table and head in bands of a few rows: the codes, the folds and the figures of a report are those of the whole, and no more than a band of
// either is asked of the source.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../../src/graph/tensor";
import { codedTokenMatrices, NO_FOLD } from "../../../src/quantize/language/coded-block";
import { agreementOf } from "../../../src/quantize/language/evaluate-language";
import { chooseFold } from "../../../src/quantize/language/fold-gate";
import { blockPart, writeLayers } from "../../../src/quantize/language/layer-codes";
import { partsInMemory } from "../../../src/quantize/language/parts";
import { inRecipe } from "../../../src/quantize/language/work";
import { Workspace } from "../../../src/quantize/language/workspace";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { toolkit } from "../../../src/toolkit/toolkit";
import { expectSame } from "../../kernels/harness";
import { type MadeOptions, madeIds, madeModel } from "./made-model";

/** Seven rows. */
const FEW = 4 * 64 * 7;
const windows = [madeIds(100), madeIds(70, 5)];
const [TABLE, HEAD] = ["model.embed_tokens.weight", "lm_head.weight"];

/** Work on a model, and the most rows of table and head that were asked for at once. */
function madeWork(options: MadeOptions, bandBytes?: number) {
  const made = madeModel(options);
  const asked: number[] = [];
  const readRows: typeof made.readRows = (name, begin, end) => {
    asked.push(end - begin);
    return made.readRows!(name, begin, end);
  };
  const source = buildLanguageGraph({ ...made, readRows });
  const common = { toolkit, source, threads: 1, pause: async () => {}, workspace: new Workspace() };
  return { made, asked, work: inRecipe(common, { bits: 8 }, bandBytes) };
}

const elements = ({ data }: Tensor) => data as Float32Array | Int8Array;

describe.each([true, false])("tied %s", (tied) => {
  const options = { outliers: 200, tied };

  test("bands cover the rows once", () => {
    const { table, head } = madeWork(options, FEW).work.vocabulary;
    expect([table?.name, head?.name]).toEqual([TABLE, tied ? TABLE : HEAD]);
    for (const { bands } of [table!, head!]) {
      expect(bands.length).toBe(8);
      expect(bands.map(({ begin }) => begin)).toEqual([0, ...bands.slice(0, -1).map(({ end }) => end)]);
      expect(bands.at(-1)!.end).toBe(50);
    }
    expect(madeWork(options).work.vocabulary.bands).toEqual([{ begin: 0, end: 50 }]);
  });

  test("codes are the same bytes", async () => {
    const [few, whole] = [madeWork(options, FEW).work, madeWork(options).work];
    for (const i of [0, few.blocks.length - 1]) {
      const [one, other] = [await codedTokenMatrices(few, i), await codedTokenMatrices(whole, i)];
      expect([...one.keys()]).toEqual([...other.keys()]);
      for (const [name, tensor] of one) {
        expect(tensor.shape).toEqual(other.get(name)!.shape);
        expectSame(elements(tensor), elements(other.get(name)!));
      }
    }
  });

  test("the fold that is chosen, what it was chosen by, and the report are the same", async () => {
    const figures = [];
    for (const { work, made, asked } of [madeWork(options, FEW), madeWork(options)]) {
      const { fold, tried } = await chooseFold(work, 8, windows, async () => {});
      const parts = partsInMemory();
      await writeLayers(work, fold, windows, parts, async () => {});
      const codesOf = async (i: number) => (await parts.read(blockPart(i)))!;
      const agreement = await agreementOf(work, codesOf, windows, async () => {});
      figures.push({ fold, tried: [...tried], agreement, codes: await codesOf(work.blocks.length - 1) });
      expect([TABLE, HEAD].map((name) => made.reads.get(name) ?? 0)).toEqual([0, 0]);
      expect(asked.length).toBeGreaterThan(0);
    }
    const [few, whole] = figures as [(typeof figures)[0], (typeof figures)[0]];
    expect(few.fold.sixteenths).toBe(whole.fold.sixteenths);
    expect(few.fold).not.toEqual(NO_FOLD);
    for (const [name, tensor] of few.codes) expectSame(elements(tensor), elements(whole.codes.get(name)!));
    for (const [i, [alpha, agreement]] of [...few.tried, [-1, few.agreement] as const].entries()) {
      const [same, expected] = [...whole.tried, [-1, whole.agreement] as const][i]!;
      expect([alpha, agreement.tokens, agreement.top1]).toEqual([same, 168, expected.top1]);
      expect(agreement.kld / expected.kld).toBeCloseTo(1, 6);
      expect(agreement.perplexity.float / expected.perplexity.float).toBeCloseTo(1, 12);
      expect(agreement.perplexity.quantized / expected.perplexity.quantized).toBeCloseTo(1, 12);
    }
  });
});

test("of a band no more rows are asked for than it has, of the table those of the text", async () => {
  const { work, asked } = madeWork({ tied: false }, FEW);
  await chooseFold(work, 8, [Int32Array.of(3, 4, 9, 4)], async () => {});
  expect(Math.max(...asked)).toBeLessThanOrEqual(7);
  expect(asked.slice(0, 2)).toEqual([2, 1]);
});
