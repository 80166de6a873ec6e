// Every name that the package exports says what it is, and every option of its functions also what holds where it is left out: found
// in the declarations that the package ships, as an editor shows them. docs/api.md is made of the same.

import { readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, test } from "vitest";
// @ts-expect-error: a script
import { apiText } from "../scripts/api.js";
import { declarationsOf } from "./declarations";

const { program, checker, files } = declarationsOf();
const entries = files.filter((file) =>
  /\/(index|runtime|create-runtime|nn|pictures|sound|text|tflite|learner|quantize-language|create-toolkit)\.d\.ts$/.test(
    file,
  ),
);

const isOwn = (symbol: ts.Symbol) =>
  symbol.declarations?.some((one) => files.includes(one.getSourceFile().fileName)) ?? false;

/** Whether a caller puts it together as options: it, or what it is called, says so; inside of others also what has no name. */
function isBag(type: ts.Type, name: string, isNested: boolean): boolean {
  if (type.isIntersection()) return type.types.some((part) => isBag(part, name, isNested));
  if (type.getCallSignatures().length > 0 || !checker.getPropertiesOfType(type).some(isOwn)) return false;
  const called = type.getSymbol()?.name ?? "";
  if (isNested && called === "__type") return true;
  return (
    name === "options" ||
    /Options$|Schedule$|^Override$|^(DeltaNames|OwnTables|Guard|LearnerCheckpoint|Pace)$/.test(called)
  );
}

interface Option {
  readonly path: string;
  readonly text: string;
  readonly isOptional: boolean;
  readonly isCallback: boolean;
}

/** The options of a type, and those of what they hold. */
function* optionsOf(type: ts.Type, path: string, seen: ReadonlySet<ts.Type>): Generator<Option> {
  for (const part of type.isUnion() ? type.types : [type]) {
    if (seen.has(part)) continue;
    const element = part.getNumberIndexType() ?? part.getStringIndexType();
    if (element) yield* optionsOf(element, `${path}[]`, new Set([...seen, part]));
    if (!isBag(part, path.split(".").at(-1)!, seen.size > 0)) continue;
    for (const property of checker.getPropertiesOfType(part)) {
      const inner = checker.getNonNullableType(checker.getTypeOfSymbol(property));
      // What tells the forms of an option apart.
      if (inner.isStringLiteral()) continue;
      const name = `${path}.${property.name}`;
      yield {
        path: name,
        text: ts.displayPartsToString(property.getDocumentationComment(checker)),
        isOptional: (property.flags & ts.SymbolFlags.Optional) !== 0,
        isCallback: inner.getCallSignatures().length > 0,
      };
      yield* optionsOf(inner, name, new Set([...seen, part]));
    }
  }
}

/** Functions, constructors and methods that an entry exports, by name. */
function* signaturesOf(file: string): Generator<readonly [string, ts.Signature]> {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const types = [checker.getTypeOfSymbol(symbol)];
    if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))
      types.push(checker.getDeclaredTypeOfSymbol(symbol));
    for (const type of types) {
      for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()])
        yield [exported.name, signature];
      for (const member of checker.getPropertiesOfType(type).filter(isOwn))
        for (const signature of checker.getTypeOfSymbol(member).getCallSignatures())
          yield [`${exported.name}.${member.name}`, signature];
    }
  }
}

const options = new Map<string, Option>();
for (const file of entries)
  for (const [name, signature] of signaturesOf(file))
    for (const parameter of signature.getParameters()) {
      const type = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
      const called = parameter.name.replace(/^__\d+$/, "names");
      for (const option of optionsOf(type, `${name}.${called}`, new Set())) options.set(option.path, option);
    }

describe("options of public functions", () => {
  test("are found, nested ones too", () => {
    for (const path of [
      "load.options.maxBytes",
      "quantize.options.overrides",
      "tune.options.checkpoint.every",
      "tune.options.optimizer.momentum",
      "tune.options.losses[].temperature",
      "quantize.options.overrides[].bits",
      "openDataset.options.labels",
      "Conv2d.options.stride",
      "loadLanguageModel.options.maxTokens",
      "LanguageSession.generate.options.topK",
      "Runtime.load.options.wasm",
      "quantizeLanguageModel.options.bits",
      "createToolkit.own.ops",
      "Learner.tune.options.guard.tolerance",
      "tune.options.pace.share",
    ])
      expect([...options.keys()]).toContain(path);
  });

  test("have a comment each", () => {
    expect([...options.values()].filter(({ text }) => text === "").map(({ path }) => path)).toEqual([]);
  });

  test("say what holds where they are left out", () => {
    const silent = [...options.values()].filter(
      ({ text, isOptional, isCallback }) => isOptional && !isCallback && !/default/i.test(text),
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});

/** Names that entries export without a comment, and methods of classes. */
function* silent(): Generator<string> {
  for (const file of files.filter((one) => !/\/(ops|wasm|types)\.d\.ts$/.test(one)))
    for (const exported of checker.getExportsOfModule(
      checker.getSymbolAtLocation(program.getSourceFile(file)!)!,
    )) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const isSilent = (one: ts.Symbol) => one.getDocumentationComment(checker).length === 0;
      if (isSilent(symbol)) yield exported.name;
      if (symbol.flags & ts.SymbolFlags.Class)
        for (const member of checker
          .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
          .filter(isOwn))
          if (checker.getTypeOfSymbol(member).getCallSignatures().length > 0 && isSilent(member))
            yield `${exported.name}.${member.name}`;
    }
}

test("every exported name and method has a comment", () => {
  expect([...new Set(silent())]).toEqual([]);
});

test("docs/api.md is what npm run api writes", () => {
  expect(readFileSync(new URL("../docs/api.md", import.meta.url), "utf8") === apiText()).toBe(true);
});
