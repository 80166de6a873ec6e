import { sizeOf } from "../../../src/graph/tensor";
import type { Forward } from "../../reference/oracle";
import { fed, testOp } from "../test-op";
import { moving } from "./indexing";

/** For every pixel of the larger image the channel and pixel of the smaller one. */
function places([n, c, h, w]: readonly number[], b: number, mode: unknown): number[] {
  return Array.from({ length: n! * c! * h! * w! }, (_, at) => {
    const [image, channel] = [Math.floor(at / (c! * h! * w!)), Math.floor(at / (h! * w!)) % c!];
    const [row, col] = [Math.floor(at / w!) % h!, at % w!];
    const [i, j] = [row % b, col % b];
    const deep = mode === "CRD" ? (channel * b + i) * b + j : (i * b + j) * c! + channel;
    const pixel = (Math.floor(row / b) * w!) / b + Math.floor(col / b);
    return (image * c! * b * b + deep) * ((h! * w!) / b / b) + pixel;
  });
}

const toSpace: Forward = ({ attributes: { blocksize, mode } }, [x]) => {
  const [b, [n, c, h, w]] = [blocksize as number, x!.shape as [number, number, number, number]];
  const shape = [n, c / b / b, h * b, w * b];
  return [{ shape, data: Float64Array.from(places(shape, b, mode), (at) => x!.data[at]!) }];
};

const toDepth: Forward = ({ attributes: { blocksize, mode } }, [x]) => {
  const [b, [n, c, h, w]] = [blocksize as number, x!.shape as [number, number, number, number]];
  const data = new Float64Array(sizeOf(x!.shape));
  for (const [i, at] of places(x!.shape, b, mode).entries()) data[at] = x!.data[i]!;
  return [{ shape: [n, c * b * b, h / b, w / b], data }];
};

testOp("DepthToSpace", {
  oracle: moving(toSpace),
  cases: [
    { inputs: [["batch", 8, 3, 5]], attributes: { blocksize: 2 } },
    { inputs: [["batch", 8, 3, 5]], attributes: { blocksize: 2, mode: "CRD" } },
    { inputs: [[2, 9, 1, 17]], attributes: { blocksize: 3, mode: "DCR" } },
    { inputs: [[2, 3, 4, 4]], attributes: { blocksize: 1, mode: "CRD" } },
    {
      inputs: [fed("i32", [1, 4, 1, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])],
      attributes: { blocksize: 2 },
      forms: ["float"],
    },
    { inputs: [fed("i8", [1, 4, 4, 3])], attributes: { blocksize: 2 }, forms: ["float"] },
  ],
  infers: [[[["n", 8, "h", 5]], { blocksize: 2 }, "[n, 2, 2*h, 10]"]],
  refuses: [
    [[[1, 6, 2, 2]], { blocksize: 2 }, "its input does not fit: expected a multiple of 4 channels, got 6"],
    [[[1, 4, 2, 2]], { blocksize: 2, mode: "RGB" }, "mode is unknown: expected DCR, CRD, got RGB"],
    [[[1, 4, 2, 2]], {}, "attribute blocksize does not fit"],
    [[[4, 2, 2]], { blocksize: 2 }, "its input does not fit: expected [n, c, h, w]"],
  ],
});

testOp("SpaceToDepth", {
  oracle: moving(toDepth),
  cases: [
    { inputs: [["batch", 2, 6, 4]], attributes: { blocksize: 2 } },
    { inputs: [["batch", 3, 4, 6]], attributes: { blocksize: 2, mode: "CRD" } },
    { inputs: [[2, 1, 3, 17 * 3]], attributes: { blocksize: 3 } },
    { inputs: [fed("u8", [1, 2, 4, 4])], attributes: { blocksize: 2 }, forms: ["float"] },
    { inputs: [fed("bool", [1, 1, 4, 4])], attributes: { blocksize: 4 }, forms: ["float"] },
  ],
  infers: [[[["n", 2, 6, 4]], { blocksize: 2 }, "[n, 8, 3, 2]"]],
  refuses: [[[[1, 6, 3, 2]], { blocksize: 2 }, "height and width that are multiples of 2"]],
});
