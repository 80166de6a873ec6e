// Every op of the registry has a table of cases, in the folder that mirrors its own: src/ops/reduce/arg-max.ts is tested by
// test/ops/reduce/arg-max.test.ts.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type OpName, registry } from "../../src/ops/index";

const root = join(import.meta.dirname, "../..");

/** Files of ops, as the table that is made of the folders of src/ops has them. */
const files = new Map(
  Array.from(
    readFileSync(join(root, "build/groups/all.ts"), "utf8").matchAll(
      / as (\w+) } from "[./]+\/src\/(ops\/[^"]+)"/g,
    ),
    ([, op, file]) => [op!, file!] as const,
  ),
);

test.each(Object.keys(registry))("%s has a table", (op) => {
  const file = join(root, "test", `${files.get(op)}.test.ts`);
  const source = existsSync(file) ? readFileSync(file, "utf8") : "";
  // What the host computes has cases of other sizes in turn; what only finds sizes, tests of its own.
  const { act, finds } = registry[op as OpName];
  const call =
    act || finds ? `(testOp|testActs)\\("${op}",|(test|testControl)\\(\\s*"${op}\\W` : `testOp\\("${op}",`;
  expect(source, `${op} has no table: test/${files.get(op)}.test.ts must call testOp("${op}", …)`).toMatch(
    new RegExp(call),
  );
});
