import { constant, dims, testOp } from "../test-op";

testOp("Mod", {
  cases: [
    { inputs: [constant([4], [7, -7, 5, -5], "i32"), constant([4], [3, 3, -3, -3], "i32")] },
    { inputs: [constant([4], [7.5, -7.5, 5, -5]), constant([], [2])], attributes: { fmod: 1 } },
  ],
  gradient: "none",
  evaluates: [
    [[dims("6*n", -7), dims(3)], {}, [0, 2]],
    [[dims(-7), dims(3)], { fmod: 1 }, [-1]],
  ],
});
