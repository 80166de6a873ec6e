import { testOp } from "../test-op";

testOp("Hardmax", {
  oracle: {
    forward: ({ attributes: { axis = -1 } }, [x]) => {
      const { shape, data } = x!;
      const along = Number(axis) < 0 ? Number(axis) + shape.length : Number(axis);
      const [n, inner] = [shape[along]!, shape.slice(along + 1).reduce((a, b) => a * b, 1)];
      const y = data.map((_, at) => {
        const [r, first] = [Math.floor(at / inner) % n, at - (Math.floor(at / inner) % n) * inner];
        const column = Array.from({ length: n }, (_, r) => data[first + r * inner]!);
        return column.indexOf(Math.max(...column)) === r ? 1 : 0;
      });
      return [{ shape, data: y }];
    },
  },
  cases: [
    { inputs: [["batch", 10]] },
    { inputs: [["batch", 3, 4, 5]], attributes: { axis: 1 } },
    { inputs: [["batch", 5, 4]], attributes: { axis: -1 } },
    { inputs: [[3, 4]], attributes: { axis: 0 } },
  ],
  gradient: "none",
  refuses: [[[[2, 3]], { axis: 2 }, "axis outside of its input's dimensions: expected -2 to 1, got 2"]],
});
