import type { Forward } from "../../reference/oracle";
import { fed, testOp } from "../test-op";

const forward: Forward = ({ attributes: { time_axis = 0 } }, [x, lengths]) => {
  const { shape, data } = x!;
  const [first, second, ...rest] = shape as [number, number, ...number[]];
  const size = rest.reduce((a, b) => a * b, 1);
  const at = (t: number, b: number) => (time_axis ? b * second + t : t * second + b) * size;
  const [times, batch] = time_axis ? [second, first] : [first, second];
  const y = new Float64Array(data.length);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < times; t++) {
      const length = Math.min(times, lengths!.data[b]!);
      y.set(data.subarray(at(t < length ? length - 1 - t : t, b)).subarray(0, size), at(t, b));
    }
  return [{ shape, data: y }];
};

const lengths = fed("i32", [4], [1, 0, 3, 9]);

testOp("ReverseSequence", {
  oracle: { forward },
  cases: [
    { inputs: [[5, 4], lengths], attributes: { time_axis: 0, batch_axis: 1 } },
    { inputs: [[4, 5, 3], lengths], attributes: { time_axis: 1, batch_axis: 0 } },
    {
      inputs: [["batch", 4, 17], fed("i32", ["batch"], [4, 3, 2, 1, 0])],
      attributes: { time_axis: 1, batch_axis: 0 },
      gradient: "none",
    },
    { inputs: [fed("i32", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), lengths] },
    { inputs: [fed("u8", [3, 4]), lengths] },
    { inputs: [fed("i8", [3, 4]), lengths] },
    { inputs: [fed("bool", [3, 4]), lengths] },
    { inputs: [[0, 4], lengths], gradient: "none" },
  ],
  refuses: [
    [[[4, 5], lengths], {}, "its lengths do not fit: expected [5], the second axis of two, got [4]"],
    [[[4, 5], lengths], { time_axis: 1 }, "its axes do not fit: expected 0 and 1, got 1 and 1"],
  ],
});
