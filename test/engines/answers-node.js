//   node answers-node.js ARTIFACT…      paths from the repository's root; prints one JSON object

import { readFile } from "node:fs/promises";
import { answersOf } from "./answers.js";

const root = new URL("../../", import.meta.url);
const read = async (path) => new Uint8Array(await readFile(new URL(path, root)));
console.log(JSON.stringify(await answersOf(process.argv.slice(2), read)));
