// The declarations that the package ships, as a compiler reads them.

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const folder = fileURLToPath(new URL("../build/", import.meta.url));

export function declarationsOf() {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => folder + file);
  const program = ts.createProgram(files, {
    strict: true,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
    types: [],
  });
  return { files, program, checker: program.getTypeChecker() };
}
