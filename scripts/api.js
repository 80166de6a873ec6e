// The reference of the package's functions, classes and types, from the declarations that it ships: docs/api.md.
//   npm run api            (of a built tree)

import { readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { root } from "./esbuild.js";

/** What each entry is for. octette/ops and octette/wasm are lists of names: docs/operators.md has them. */
const entries = {
  index: ["octette", "The whole toolkit: import, quantize, fine-tune, save, load, run, evaluate."],
  runtime: ["octette/runtime", "Loads and runs models: all that a device needs."],
  "create-runtime": ["octette/create-runtime", "A runtime of chosen operators and kernels, for small pages."],
  nn: ["octette/nn", "Models written and trained as in PyTorch."],
  text: ["octette/text", "Language models: generate, embed, classify, measure."],
  "quantize-language": ["octette/quantize-language", "Language models to 8 or 4 bits."],
  tflite: ["octette/tflite", "TensorFlow Lite models as graphs."],
  learner: ["octette/learner", "A model and its training in a worker."],
  pictures: ["octette/pictures", "Pictures as feeds."],
  sound: ["octette/sound", "Recordings, and log-mel bands and MFCCs of them."],
  "create-toolkit": ["octette/create-toolkit", "Operators of your own ([guide](own-op.md))."],
};

const INTRO = `# API

Every function, class and type that the package exports, with the comments of its declarations. An editor shows the same. Written by \`npm run api\`.
`;

/** The text of docs/api.md. */
export function apiText() {
  const folder = `${root}build/`;
  const files = readdirSync(folder).filter((file) => file.endsWith(".d.ts"));
  const program = ts.createProgram(
    files.map((file) => folder + file),
    { strict: true, lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"], types: [] },
  );
  const checker = program.getTypeChecker();
  const told = new Map();
  const sections = [];
  const contents = [];
  for (const [file, [title, purpose]] of Object.entries(entries)) {
    const source = program.getSourceFile(`${folder}${file}.d.ts`);
    if (!source) continue;
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).map((symbol) => ({
      name: symbol.name,
      own: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    }));
    exported.sort((a, b) => (a.name < b.name ? -1 : 1));
    const isValue = ({ own }) => (own.flags & ts.SymbolFlags.Value) !== 0;
    const [values, types] = [exported.filter(isValue), exported.filter((one) => !isValue(one))];
    const part = [`## ${title}`, "", purpose, ""];
    const elsewhere = [];
    for (const one of [...values, ...types]) {
      const home = told.get(one.own);
      if (home) elsewhere.push(`\`${one.name}\` (${home})`);
      else part.push(...describe(one));
      if (!home) told.set(one.own, title);
    }
    if (elsewhere.length > 0) part.push(`And, described above: ${elsewhere.join(", ")}.`, "");
    contents.push(
      `- [${title}](#${title.replaceAll(/[^\w-]/g, "")}): ${values.map(({ name }) => name).join(", ")}`,
    );
    sections.push(part.join("\n"));
  }
  return `${[INTRO, contents.join("\n"), "", ...sections].join("\n").trim()}\n`;

  /** Its comment as text and its declaration as code, with the comments of its members. */
  function describe({ name, own }) {
    const text = ts.displayPartsToString(own.getDocumentationComment(checker)).replaceAll("<", "&lt;");
    const throws = own
      .getJsDocTags(checker)
      .filter(({ name }) => name === "throws")
      .map(({ text }) => `Throws ${ts.displayPartsToString(text)}`);
    const code = own.declarations.map((one) => codeOf(one)).join("\n");
    return [
      `### ${name}`,
      "",
      ...(text ? [text, ""] : []),
      ...throws.flatMap((one) => [one, ""]),
      "```ts",
      code,
      "```",
      "",
    ];
  }

  /** A declaration as it is written, without its own comment and the word that makes it one. */
  function codeOf(declaration) {
    const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    return (
      statement
        .getText()
        .replace(/^(export )?(declare )?/, "")
        // As the sources name types of pages (scripts/types.js).
        .replace(
          /\(typeof globalThis extends \{ (WebAssembly)?(?:: \{ )?(\w+): .*?\? T : never\)/g,
          (_, space, name) => (space ? `${space}.${name}` : name),
        )
        .replaceAll(/ {4}/g, "  ")
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(`${root}docs/api.md`, apiText());
