import type { Forward } from "../../reference/oracle";
import { fed, testOp } from "../test-op";

const forward: Forward = ({ attributes: { upper = 1, k } }, [x, fixed]) => {
  const [rows, cols] = x!.shape.slice(-2) as [number, number];
  const shift = (k as number[] | undefined)?.[0] ?? fixed?.data[0] ?? 0;
  const across = (i: number) => (i % cols) - (Math.floor(i / cols) % rows);
  const isKept = (i: number) => (upper ? across(i) >= shift : across(i) <= shift);
  return [{ shape: x!.shape, data: x!.data.map((value, i) => (isKept(i) ? value : 0)) }];
};

testOp("Trilu", {
  oracle: { forward },
  cases: [
    { inputs: [[3, 4]] },
    { inputs: [["batch", 3, 3]], attributes: { upper: 0 } },
    { inputs: [["batch", 2, 4, 17]], attributes: { upper: 1, k: [3] } },
    { inputs: [[4, 3]], attributes: { upper: 0, k: [-1] } },
    { what: "with k computed", inputs: [[5, 5], fed("i32", [], [-2])], attributes: { upper: 0 } },
    { what: "with k far away", inputs: [[5, 5], fed("i32", [1], [2 ** 31 - 1])] },
    { inputs: [[0, 3]] },
    { inputs: [fed("i32", [2, 2], [1, 2, 3, 4])] },
    { inputs: [fed("i8", [3, 3])] },
    { inputs: [fed("bool", [3, 3])], attributes: { k: [1] } },
  ],
  refuses: [
    [[[3]], {}, "its input has no matrices"],
    [[[3, 3], fed("i32", [2])], {}, "k does not fit: expected i32 [], got i32 [2]"],
  ],
});
