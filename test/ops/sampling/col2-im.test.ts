import type { Forward } from "../../reference/oracle";
import { constant, testOp } from "../test-op";

const forward: Forward = ({ attributes }, [x, imageShape, blockShape]) => {
  const list = (given: { readonly data: Float64Array } | undefined, name: string, otherwise: number[]) =>
    given ? [...given.data] : ((attributes[name] as number[]) ?? otherwise);
  const image = list(imageShape, "image_shape", []);
  const block = list(blockShape, "block_shape", []);
  const each = (value: number) => image.map(() => value);
  const dilations = list(undefined, "dilations", each(1));
  const strides = list(undefined, "strides", each(1));
  const pads = list(undefined, "pads", [...each(0), ...each(0)]);
  const columns = image.map((size, i) => {
    const reach = dilations[i]! * (block[i]! - 1) + 1;
    return Math.floor((size + pads[i]! + pads[i + image.length]! - reach) / strides[i]!) + 1;
  });
  const count = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1);
  const indices = (at: number, sizes: number[]) => {
    const own = sizes.map(() => 0);
    for (let i = sizes.length - 1, rest = at; i >= 0; rest = Math.floor(rest / sizes[i--]!))
      own[i] = rest % sizes[i]!;
    return own;
  };
  const [taps, width, size] = [count(block), count(columns), count(image)];
  const planes = (x!.shape[0]! * x!.shape[1]!) / taps;
  const data = new Float64Array(planes * size);
  for (let at = 0; at < x!.data.length; at++) {
    const [column, tap] = [indices(at % width, columns), indices(Math.floor(at / width) % taps, block)];
    const place = column.map((c, i) => c * strides[i]! + tap[i]! * dilations[i]! - pads[i]!);
    if (place.some((p, i) => p < 0 || p >= image[i]!)) continue;
    const plane = Math.floor(at / width / taps);
    data[plane * size + place.reduce((sum, p, i) => sum * image[i]! + p, 0)]! += x!.data[at]!;
  }
  return [{ shape: [x!.shape[0]!, x!.shape[1]! / taps, ...image], data }];
};

testOp("Col2Im", {
  oracle: { forward },
  gradient: "none",
  cases: [
    { inputs: [["batch", 5, 5]], attributes: { image_shape: [5, 5], block_shape: [1, 5] } },
    {
      inputs: [["batch", 18, 12]],
      attributes: { image_shape: [5, 7], block_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
    },
    {
      inputs: [[2, 4, 9]],
      attributes: { image_shape: [6, 5], block_shape: [2, 2], dilations: [3, 2] },
    },
    { inputs: [["batch", 6, 4]], attributes: { image_shape: [6], block_shape: [3] } },
    {
      inputs: [["batch", 8, 12]],
      attributes: { image_shape: [3, 4, 3], block_shape: [2, 2, 2] },
    },
    {
      inputs: [[1, 4, 4], constant([2], [3, 3], "i32"), constant([2], [2, 2], "i32")],
      simplified: true,
    },
  ],
  refuses: [
    [
      [[1, 4, 5]],
      { image_shape: [3, 3], block_shape: [2, 2] },
      "columns do not fit: expected [n, a multiple of 4, 4]",
    ],
    [[[1, 4, 4]], { image_shape: [3, 3], block_shape: [2] }, "its lists do not fit"],
    [[[1, 16, 1]], { image_shape: [3, 3], block_shape: [4, 4] }, "its blocks do not fit into the image"],
  ],
});
