// A script in its top-level declarations, each with the names that it reads of the others: some of them make a smaller script,
// without a bundler.

import { transform } from "esbuild";
import ts from "typescript";

const FILE = "/script.ts";

/** A program of one script, for its scopes alone. */
function scopesOf(text) {
  const file = ts.createSourceFile(FILE, text, ts.ScriptTarget.ES2022, true);
  const settings = { noLib: true, noResolve: true, types: [], target: ts.ScriptTarget.ES2022 };
  const program = ts.createProgram([FILE], settings, {
    getSourceFile: (name) => (name === FILE ? file : undefined),
    fileExists: (name) => name === FILE,
    readFile: () => undefined,
    writeFile() {},
    getDefaultLibFileName: () => "",
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getCurrentDirectory: () => "/",
    getNewLine: () => "\n",
  });
  return { file, checker: program.getTypeChecker() };
}

/** Whether a name stands for a value, and is not that of a property. */
function isReference(name) {
  const { parent } = name;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === name;
  if (ts.isBindingElement(parent)) return parent.propertyName !== name;
  return !(
    (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent)) &&
    parent.name === name
  );
}

const namesIn = (binding) =>
  ts.isIdentifier(binding) ? [binding] : binding.elements.flatMap(({ name }) => (name ? namesIn(name) : []));

/** What a statement declares. A constant of several is one declaration for each. */
function declarationsIn(statement) {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map((node) => ({
      node,
      names: namesIn(node.name),
      word: "var ",
    }));
  if (ts.isFunctionDeclaration(statement)) return [{ node: statement, names: [statement.name], word: "" }];
  throw new Error(
    `not a declaration, which a smaller script might need: ${statement.getText().slice(0, 200)}`,
  );
}

/** `export { own as name }`: own names by those that others know. */
const exportsOf = ({ exportClause }) =>
  Object.fromEntries(
    exportClause.elements.map(({ name, propertyName = name }) => [name.text, propertyName.text]),
  );

/** The module that each place of a bundled script comes from, by the comments that esbuild writes. */
function modulesIn(text) {
  const heads = [...text.matchAll(/^\/\/ ((?:src|assembly|build|node_modules)\/\S+)$/gm)];
  return (place) => heads.findLast(({ index }) => index < place)?.[1] ?? "";
}

/** Keys of an object of names, each with the name that stands for it; undefined for anything else. */
function entriesOf({ initializer }) {
  if (!initializer || !ts.isObjectLiteralExpression(initializer)) return undefined;
  return initializer.properties.map(({ name, initializer: value = name }) => [name.text, value.text]);
}

/**
 * The declarations of a bundled script in their order, and its own names of what it exports. A constant in a module that `isTable`
 * finds is an object of names: its entries are there, too, as a smaller script has fewer of them.
 */
export async function declarationsOf(text, isTable) {
  const { file, checker } = scopesOf(text);
  const moduleAt = modulesIn(text);
  const exporting = file.statements.find(ts.isExportDeclaration);
  const found = file.statements.filter((one) => one !== exporting).flatMap(declarationsIn);
  const own = new Map(
    found.flatMap(({ names }) => names.map((name) => [checker.getSymbolAtLocation(name), name.text])),
  );
  const readsOf = ({ node, names }) => {
    const reads = new Set();
    const visit = (one) => {
      if (ts.isIdentifier(one) && isReference(one)) {
        const symbol = ts.isShorthandPropertyAssignment(one.parent)
          ? checker.getShorthandAssignmentValueSymbol(one.parent)
          : checker.getSymbolAtLocation(one);
        if (own.has(symbol)) reads.add(own.get(symbol));
      }
      ts.forEachChild(one, visit);
    };
    visit(node);
    for (const { text: name } of names) reads.delete(name);
    return [...reads];
  };
  const declarations = await Promise.all(
    found.map(async (declaration) => {
      const { node, word } = declaration;
      const names = declaration.names.map((name) => name.text);
      const { code } = await transform(`${word}${node.getText()}`, { minifyWhitespace: true });
      const found = { names, reads: readsOf(declaration), code: code.trim() };
      return isTable(moduleAt(node.getStart())) ? { ...found, entries: entriesOf(node) } : found;
    }),
  );
  return { declarations, names: exportsOf(exporting) };
}
