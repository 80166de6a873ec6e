import { elementwise, fed, testOp } from "../test-op";

const of = (x: number) => -x;

testOp("Neg", {
  oracle: {
    operator: (_, [x]) => ({ ...x!, data: x!.data.map(of) }),
    forward: (_, [x]) => [{ ...x!, data: x!.data.map(of) }],
  },
  cases: [
    ...elementwise({ from: [-2, 2] }),
    { inputs: [fed("i32", ["batch", 3])], gradient: "none" },
    { inputs: [fed("i8", ["batch", 17])], gradient: "none" },
    { what: "ends of i32", inputs: [fed("i32", [5], [-0x80000000, 0x7fffffff, -1, 0, 1])], known: "refused" },
    { what: "ends of i8", inputs: [fed("i8", [5], [-128, 127, -1, 0, 1])] },
  ],

  refuses: [[[fed("bool", [3])], {}, "element type does not fit"]],
});
