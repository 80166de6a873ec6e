import { constant, dims, testOp } from "../test-op";

const number = (value: number) => constant([], [value], "i32");

testOp("Range", {
  cases: [{ inputs: [number(9), number(2), number(-3)] }, { inputs: [number(2), number(2), number(1)] }],
  gradient: "none",
  evaluates: [
    [[dims(0), dims("h"), dims(1)], {}, undefined],
    [[dims(9), dims(2), dims(-3)], {}, [9, 6, 3]],
    // One that nothing needs is not made.
    [[dims(0), dims(2 ** 30), dims(1)], {}, undefined],
  ],
});
