import { dims, testOp } from "../test-op";

const image = ["batch", 6, 4, 5];

testOp("Concat", {
  cases: [
    {
      inputs: [
        ["batch", 3],
        ["batch", 4],
      ],
      attributes: { axis: 1 },
    },
    { what: "of channels", inputs: [image, image, image], attributes: { axis: 1 } },
    { what: "of the map", inputs: [image, image], attributes: { axis: 2 } },
    { inputs: [image, image], attributes: { axis: -1 } },
    {
      inputs: [
        ["batch", 3, 4, 5],
        ["batch", 2, 4, 5],
      ],
      attributes: { axis: 1 },
    },
    {
      inputs: [
        ["batch", 3, 1],
        ["batch", 3, 5],
      ],
      attributes: { axis: -1 },
    },
    { inputs: [[3], [1], [17]], attributes: { axis: 0 } },
    { what: "of one", inputs: [[3, 5]], attributes: { axis: 0 } },
  ],
  infers: [
    [
      [
        ["batch", "past", 4],
        ["batch", "seq", 4],
      ],
      { axis: 1 },
      "[batch, past+seq, 4]",
    ],
  ],
  refuses: [
    [
      [
        [2, 3],
        [2, 4],
      ],
      { axis: 0 },
      "shapes do not fit: expected [n, 3], got [2, 4]",
    ],
    [[], { axis: 0 }, "input 0 is missing"],
  ],
  evaluates: [[[dims("batch", 3, "h"), dims(-1)], { axis: 0 }, ["batch", 3, "h", -1]]],
});
