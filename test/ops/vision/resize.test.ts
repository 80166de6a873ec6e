import { testOp } from "../test-op";

const nearest = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };

testOp("Resize", {
  cases: [
    { inputs: [["batch", 5, 3, 4]], attributes: { ...nearest, scales: [1, 1, 2, 3] } },
    { inputs: [["batch", 3, 4, 5]], attributes: { scales: [1, 1, 2, 2] } },
    { inputs: [["batch", 3, 5]], attributes: { ...nearest, scales: [1, 1, 4] } },
    { inputs: [[2, 3, 2, 3]], attributes: { ...nearest, sizes: [2, 3, 6, 3] }, what: "to sizes" },
    { inputs: [["batch", 2, 3, 3]], attributes: { ...nearest, axes: [2, 3], roi: [], scales: [2, 2] } },
    { inputs: [[3, 5]], attributes: { ...nearest, scales: [2, 3] } },
    { inputs: [[7]], attributes: { ...nearest, scales: [3] } },
    { inputs: [["batch", 3, 4]], attributes: { ...nearest, scales: [1, 2, 1] } },
  ],
  onnx: ["Resize", "Upsample"],
  // A factor costs nothing, however large.
  infers: [[[[1, 5]], { ...nearest, scales: [1, 2 ** 30] }, `[1, ${5 * 2 ** 30}]`]],
  refuses: [
    [[[2, 3]], { coordinate_transformation_mode: "tf_crop_and_resize", scales: [1, 1] }, "is unknown"],
    [[[2, 3]], { nearest_mode: "best", scales: [1, 1] }, "is unknown"],
  ],
});
