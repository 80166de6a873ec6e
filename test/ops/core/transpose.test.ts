import { testOp } from "../test-op";

const image = ["batch", 6, 4, 5];

testOp("Transpose", {
  cases: [
    { inputs: [[3, 5]] },
    { inputs: [["batch", 3, 4]], attributes: { perm: [0, 2, 1] } },
    { inputs: [[2, 3, 4]], attributes: { perm: [1, 2, 0] } },
    { what: "to channels last", inputs: [image], attributes: { perm: [0, 2, 3, 1] } },
    { what: "from channels last", inputs: [image], attributes: { perm: [0, 3, 1, 2] } },
    { what: "of height and width", inputs: [image], attributes: { perm: [0, 1, 3, 2] } },
    { what: "of everything but the rows", inputs: [image], attributes: { perm: [0, 3, 2, 1] } },
    { what: "of the rows", inputs: [image], attributes: { perm: [1, 0, 2, 3] } },
    { what: "that is none", inputs: [image], attributes: { perm: [0, 1, 2, 3] } },
  ],
  infers: [[[["batch", 3, "h", "w"]], {}, "[w, h, 3, batch]"]],
  refuses: [
    [[[2, 3]], { perm: [0, 0] }, "attribute perm names an axis twice"],
    [[[2, 3]], { perm: [0] }, "perm does not fit: expected 2 axes, got [0]"],
  ],
});
