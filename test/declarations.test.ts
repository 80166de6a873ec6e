// The declarations that the package ships: every type is one type in all entries, has the name that its file gives it, and is exported
// where it appears in a signature.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { declarationsOf } from "./declarations";

const { checker, program, files } = declarationsOf();

const entries = files.filter((file) => !file.endsWith("/types.d.ts"));

const real = (symbol: ts.Symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

const exportsOf = (file: string) =>
  checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!).map(real);

/** What any entry exports: an op's parts, for example, come from octette/create-toolkit. */
const exported = new Set(entries.flatMap(exportsOf));

/** Types that the exports of an entry lead to and that no entry exports, each with the way to it. */
function hiddenTypes(file: string): string[] {
  const seen = new Set<ts.Symbol>();
  const hidden: string[] = [];
  const walk = (symbol: ts.Symbol, way: string) => {
    if (seen.has(symbol)) return;
    seen.add(symbol);
    const path = way === "" ? symbol.name : `${way} > ${symbol.name}`;
    if (!exported.has(symbol)) hidden.push(path);
    for (const declaration of symbol.declarations ?? []) visit(declaration, path);
  };
  const visit = (node: ts.Node, way: string): void => {
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node) || ts.isTypeQueryNode(node)) {
      const name = ts.isTypeReferenceNode(node)
        ? node.typeName
        : ts.isTypeQueryNode(node)
          ? node.exprName
          : node.expression;
      const symbol = checker.getSymbolAtLocation(name);
      const target = symbol && real(symbol);
      const isParameter = target !== undefined && (target.flags & ts.SymbolFlags.TypeParameter) !== 0;
      const isOurs = target?.declarations?.some((one) => files.includes(one.getSourceFile().fileName));
      if (target && isOurs && !isParameter) walk(target, way);
    }
    ts.forEachChild(node, (child) => visit(child, way));
  };
  for (const symbol of exportsOf(file)) walk(symbol, "");
  return hidden;
}

test.each(
  entries.map((file) => [basename(file), file]),
)("%s names no type that is not exported", (_, file) => {
  expect(hiddenTypes(file!)).toEqual([]);
});

test("no name has a number", () => {
  for (const file of files)
    expect(readFileSync(file, "utf8").match(/\b\w+\$\d+\b/g) ?? [], basename(file)).toEqual([]);
});
