// ONNX's operator tests through the public API, against the ledger of what passes (ledger.json). Each is run in two forms: with
// its inputs as they come, and with all but the first as constants. A test that no longer passes fails here, and one that
// passes for the first time has to be written down: `npm run ledger`. A wrong answer fails always.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { readOnnx } from "../../src/formats/onnx/import";
import { preload } from "../../src/index";
import { operators, runReference } from "../reference/index";
import { conformanceCases, expectCase, freezeInputs, outcomeOf } from "./cases";

/** "passed", or the code and the first line of the error; of both forms where these differ. */
type Entry = string | readonly [asItComes: string, frozen: string];
type Ledger = Record<string, Entry>;

const PASSED = "passed";
const file = join(import.meta.dirname, "ledger.json");
const known: Ledger = JSON.parse(readFileSync(file, "utf8"));
/** "grow" writes what is found, if nothing is lost; "lose" writes it all the same. */
const writing = process.env.OCTETTE_LEDGER;

const formsOf = (entry: Entry | undefined): readonly string[] =>
  entry === undefined ? ["", ""] : typeof entry === "string" ? [entry, entry] : entry;
/** "passed", or the error's code. */
const statusOf = (form: string): string => form.split(":", 1)[0]!;

/** Longest reason that is written down. */
const MAX_REASON = 160;

function told(outcome: "passed" | OctetteError): string {
  if (outcome === PASSED) return outcome;
  const [line] = `${outcome.code}: ${outcome.message}`.split("\n") as [string];
  return line.length > MAX_REASON ? `${line.slice(0, MAX_REASON)}…` : line;
}

// Whatever runs before: some kernels are imported by whoever calls them first.
await preload();
const cases = conformanceCases();
if (cases.length === 0)
  console.log(`No ONNX operator tests here: ${Object.keys(known).length} of the ledger are left out.`);

describe.skipIf(cases.length === 0)("ONNX's operator tests", () => {
  const found: Ledger = {};

  test.each(cases)("$name", (one) => {
    const plain = told(outcomeOf(one, one.model));
    const frozen = one.inputs.length > 1 ? told(outcomeOf(one, freezeInputs(one, 1))) : plain;
    found[one.name] = plain === frozen ? plain : [plain, frozen];
    if (!writing)
      expect(
        [plain, frozen].map(statusOf),
        `what ledger.json does not say: npm run ledger\n${plain}\n${frozen}`,
      ).toEqual(formsOf(known[one.name]).map(statusOf));
  });

  test("the ledger has all of them, and no more", () => {
    const lost = Object.entries(known).flatMap(([name, entry]) =>
      formsOf(entry).flatMap((form, i) =>
        form === PASSED && formsOf(found[name])[i] !== PASSED ? [`${name}: ${formsOf(found[name])[i]}`] : [],
      ),
    );
    if (writing !== "lose")
      expect(lost, "passed before, and is to be lost: npm run ledger -- --lose").toEqual([]);
    if (writing) writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
    else expect(Object.keys(known)).toEqual(cases.map(({ name }) => name));
    const passed = Object.values(found).filter((entry) => formsOf(entry).includes(PASSED)).length;
    const reworded = Object.keys(found).filter((name) => `${found[name]}` !== `${known[name]}`).length;
    console.log(
      `${passed} of ${cases.length} of ONNX's operator tests pass, ${reworded} entries read otherwise.`,
    );
  });
});

/** Cases that the importer reads, as it reads them, of ops that the reference has: tables hold other oracles to ONNX's tests. */
const readable = cases.flatMap((one) => {
  try {
    const graph = readOnnx(one.model, { name: one.name });
    return graph.nodes.every(({ op }) => Object.hasOwn(operators, op))
      ? [{ name: one.name, one, graph }]
      : [];
  } catch (error) {
    if (error instanceof OctetteError) return [];
    throw error;
  }
});

describe.skipIf(cases.length === 0)("the scalar reference, on what the importer reads", () => {
  test.each(readable)("$name", ({ one, graph }) =>
    expectCase(one, graph, (feeds) => Object.fromEntries(runReference(graph, feeds))));

  test("at least 300 of them", () => expect(readable.length).toBeGreaterThanOrEqual(300));
});
