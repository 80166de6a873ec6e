import { expect, test } from "vitest";
import { removeDead } from "../../src/passes/remove-dead";
import { GraphBuilder } from "../graph-builder";
import { opsOf } from "./check-pass";

test("what nobody reads goes, with its constants", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["batch", 4]);
  const y = b.node("Add", [x, b.floats("used", [4], 1)], "y");
  b.node("Relu", [b.node("Mul", [y, b.floats("unused", [4], 1)], "dead")], "also_dead");
  const result = removeDead(b.build(y));
  expect(opsOf(result)).toBe("Add");
  expect([...result.constants.keys()]).toEqual(["used"]);
  expect(removeDead(result)).toBe(result);
});
