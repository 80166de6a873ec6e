import { expect, test } from "vitest";
import { ofTurn } from "../../../src/ops/signal/turn";

test("cosines and sines of every part of a turn are within 2e-16 of Math's", () => {
  for (const n of [1, 2, 3, 4, 5, 7, 8, 12, 17, 400, 512, 1000])
    for (let k = -n; k <= 2 * n; k++) {
      const [cosine, sine] = ofTurn(k, n);
      const angle = (2 * Math.PI * (((k % n) + n) % n)) / n;
      expect(Math.abs(cosine - Math.cos(angle))).toBeLessThan(1e-15);
      expect(Math.abs(sine - Math.sin(angle))).toBeLessThan(1e-15);
    }
});

test("quarters of a turn are exact", () => {
  const quarters = [0, 1, 2, 3].map((k) => ofTurn(k, 4).map((x) => x + 0));
  expect(quarters).toEqual([
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ]);
});
