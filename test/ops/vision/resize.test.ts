import { fed, testOp } from "../test-op";

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
    {
      inputs: [["batch", 3, 4, 5]],
      attributes: { axes: [2, 3], scales: [1.5, 0.6], extrapolation_value: 2 },
    },
    { inputs: [[2, 3, 4, 5]], attributes: { axes: [-1], sizes: [17], nearest_mode: "ceil" } },
    { inputs: [[4, 5]], attributes: { sizes: [3, 7], nearest_mode: "round_prefer_ceil" } },
    { inputs: [[4, 5]], attributes: { ...nearest, scales: [0.7, 0.5], nearest_mode: "ceil_if_shorter" } },
    {
      inputs: [[4, 5]],
      attributes: { ...nearest, scales: [1.3, 0.7], nearest_mode: "ceil_if_shorter" },
      exported: "refused",
    },
    {
      inputs: [["batch", 2, 4, 5]],
      attributes: { axes: [1, 3], scales: [2, 1.3], coordinate_transformation_mode: "align_corners" },
    },
    { inputs: [fed("i32", [2, 2], [1, 2, 3, 4])], attributes: { scales: [1.5, 2] }, forms: ["float"] },
    { inputs: [fed("bool", [2, 3])], attributes: { scales: [0.5, 2.5] }, forms: ["float"] },
  ],
  onnx: ["Resize", "Upsample"],
  // A factor costs nothing, however large.
  infers: [
    [[[1, 5]], { ...nearest, scales: [1, 2 ** 30] }, `[1, ${5 * 2 ** 30}]`],
    [
      [[1, 3, 10, 20]],
      { axes: [2, 3], sizes: [5, 5], keep_aspect_ratio_policy: "not_smaller" },
      "[1, 3, 5, 10]",
    ],
  ],
  refuses: [
    [
      [[2, 3]],
      {
        coordinate_transformation_mode: "tf_crop_and_resize",
        scales: [1, 1],
        extrapolation_value: 1,
        roi: [0],
      },
      "roi does not fit: expected 4 numbers, got 1",
    ],
    [[[2, 3]], { nearest_mode: "best", scales: [1, 1.5] }, "nearest_mode is unknown"],
    [[[2, 3]], { coordinate_transformation_mode: "other", scales: [1, 1] }, "is unknown"],
    [[[2, 3]], { scales: [1] }, "scales and sizes do not fit"],
  ],
});
