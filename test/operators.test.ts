// The list of operators in docs/operators.md is what the rooms of the operators say: `npm run operators` writes it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { conversions } from "../build/groups/conversions";
import { plain } from "../build/groups/plain";
import { firstOpset } from "../src/formats/onnx/opsets";
import type { CodeFlow } from "../src/ops/op";
import { toolkitOps } from "../src/ops/toolkit";
import { training } from "../src/train/training";
import { conformanceCases } from "./conformance/cases";

const file = join(import.meta.dirname, "../docs/operators.md");

/** What each way of an op with codes is to a user; undefined where it runs over floats. */
const overCodes: Readonly<Record<CodeFlow, string | undefined>> = {
  moves: "moved",
  pads: "moved",
  table: "table of 256",
  mean: "integers",
  sum: "integers",
  join: "joined",
  layer: "integer layer",
  recurrence: "integer products",
  makes: "makes codes",
  reads: "reads codes",
  none: undefined,
};

const DOMAIN = /^(.+)\.([^.]+)$/;

/** Names of another domain's operators, by domain. */
function foreign(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of Object.keys(conversions)) {
    const [, domain, operator] = DOMAIN.exec(name) ?? [];
    if (domain && operator) found.set(domain, [...(found.get(domain) ?? []), operator]);
  }
  return found;
}

function written(): string {
  const names = Object.keys(conversions).filter((name) => !DOMAIN.test(name));
  const rows = names.sort().map((name) => {
    const op = toolkitOps[name];
    const opsets = `${firstOpset(name)}+`;
    if (!op) return `| ${name} | ${opsets} | read as others | |`;
    const gradient = training.gradients[name] ? "yes" : "";
    const codes = overCodes[op.codes] ?? (Object.hasOwn(plain, name) ? "written with others" : "");
    return `| ${name} | ${opsets} | ${codes} | ${gradient} |`;
  });
  const others = [...foreign()].map(
    ([domain, operators]) => `\`${domain}\`: ${operators.sort().join(", ")}.`,
  );
  return `# Operators

${names.length} operators of ONNX, opset 7 and later, are read, and run on floats or on the types that ONNX gives them. The second column says in which
opsets a model may have them, each read as its opset defines it; in a model of an earlier opset they are refused. LayerNormalization is of opset 17,
but ONNX Runtime writes it to older files. The third says how they run in a quantized model: as an integer layer, by arithmetic on integers, as a
table of 256 codes, or by moving codes; an empty one, on floats. The fourth says whether training passes a gradient through. Operators that are read as others, or written with others when a model is simplified, run and
train as these do: Gemm, and MatMul with known weights, are a linear layer. \`npm run operators\` writes this list.

| operator | opsets | over codes | gradient |
| --- | --- | --- | --- |
${rows.join("\n")}

Operators of other domains become these when a file is read:

${others.join("\n\n")}
`;
}

test("docs/operators.md lists what is there: npm run operators writes it", () => {
  if (process.env.OCTETTE_OPERATORS === "write") writeFileSync(file, written());
  expect(readFileSync(file, "utf8")).toBe(written());
});

test("every operator of ONNX's tests is listed, but for constants, which are no nodes", () => {
  const cases = conformanceCases();
  if (cases.length === 0) console.log("No ONNX operator tests here: the list is not compared with them.");
  const named = new Set(cases.flatMap(({ ops }) => ops).filter((name) => name !== "Constant"));
  expect([...named].filter((name) => !Object.hasOwn(conversions, name))).toEqual([]);
});
