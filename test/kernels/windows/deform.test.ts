import { beforeEach, test } from "vitest";
import { convScratchBytes, packedBytes } from "../../../assembly/f32/sizes";
import { deformScratchBytes } from "../../../assembly/windows/sizes";
import { inPieces, same } from "../float";
import { alloc, fillFloats, loadCommon, random, reset } from "../harness";
import { window } from "../structs";

const { conv, deformConv, packWeights } = loadCommon();
beforeEach(reset);

test.each([1, 3, 4, 17])("taps that are moved by nothing, of %i channels: as conv, bit for bit", (cin) => {
  const next = random(cin);
  const [n, inH, inW, cout, outH, outW] = [2, 5, 6, 9, 5, 6];
  const x = fillFloats(alloc(Float32Array, n * inH * inW * cin), next, -2, 2);
  const w = fillFloats(alloc(Float32Array, cout * cin * 9), next, -1, 1);
  const bias = fillFloats(alloc(Float32Array, cout), next, -1, 1);
  const offsets = alloc(Float32Array, n * 18 * outH * outW).fill(0);
  const packed = alloc(Uint8Array, packedBytes(cout, 9 * cin)).byteOffset;
  packWeights(packed, w.byteOffset, cout, 9, cin, 9 * cin, 1, 9);
  const steps = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 1, padLeft: 1 };
  const { slide, at } = window(
    { inH, inW, outH, outW, kh: 3, kw: 3, ...steps },
    { cin, ldx: cin, cout, ldy: cout },
  );
  const [y, z] = [alloc(Float32Array, n * outH * outW * cout), alloc(Float32Array, n * outH * outW * cout)];
  const scratch = alloc(
    Uint8Array,
    Math.max(convScratchBytes(n * outH, outW, 3, 3 * cin), deformScratchBytes(slide, 9 * cin)),
  ).byteOffset;
  const [yAt, zAt, xAt, b] = [y.byteOffset, z.byteOffset, x.byteOffset, bias.byteOffset];
  conv(zAt, xAt, packed, b, scratch, at, -1, 2, 0, n * outH);
  inPieces(y, n * outH, next, (begin, end) =>
    deformConv(yAt, xAt, offsets.byteOffset, 0, packed, b, scratch, at, 1, 1, -1, 2, begin, end),
  );
  same(y, z);
});
