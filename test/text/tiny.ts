// Tiny random models of many families, as folders of Hugging Face with what transformers computes with them (OCTETTE_DATA, lm/tiny).

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "../formats/fixtures";

const folder = join(dataFolder ?? "", "lm/tiny");

/** Their names; none where there are no data. An adapter is not among them. */
export const tinyNames: readonly string[] =
  dataFolder !== undefined && existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "golden.npz")))
    : [];

export const tinyPath = (name: string): string => join(folder, name);
