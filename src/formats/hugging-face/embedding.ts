// Folders of sentence-transformers: modules.json lists what follows the model. A mean or the first token's state, and division
// by its length, become part of the graph; any other module is refused by name.

import { FormatError, OctetteError } from "../../errors";
import { checkName, type Folder } from "../../files/folder";
import type { EmbeddingSettings } from "../../text/source";
import { isJsonObject, type JsonObject } from "../json";
import { readJson, readObject } from "./folder";

/** What modules.json says: where the model lies, and how an embedding is made of it. */
export interface Modules {
  /** Path of the model with a slash behind it, "" for the folder itself. */
  readonly path: string;
  readonly embedding?: EmbeddingSettings;
}

/** Ways of pooling, by the settings of older files and by the name that newer ones give. */
const POOLINGS: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: "cls",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_max_tokens: "max",
  pooling_mode_mean_sqrt_len_tokens: "mean_sqrt_len_tokens",
  pooling_mode_weightedmean_tokens: "weightedmean",
  pooling_mode_lasttoken: "lasttoken",
};

/** Reads modules.json and the files it names. Throws OctetteError "unsupported" that names a module octette does not have. */
export async function readModules(folder: Folder): Promise<Modules> {
  const modules = await readJson(folder, "modules.json");
  if (modules === undefined) return { path: "" };
  const where = `${folder.where}/modules.json`;
  if (!Array.isArray(modules) || !modules.every(isJsonObject))
    throw new FormatError("is not a list of modules", { where });
  const kinds = modules.map(({ type }) => String(type).split(".").at(-1)!);
  const paths = modules.map(({ path }) =>
    typeof path === "string" && path !== "" ? `${checkName(path, where)}/` : "",
  );
  const [first, pooling, ...others] = kinds;
  const other = [first === "Transformer" ? "" : first, pooling === "Pooling" ? "" : pooling, ...others].find(
    (kind) => kind !== "" && kind !== "Normalize",
  );
  if (other !== undefined || kinds.length < 2)
    throw new OctetteError("a module that octette does not have", {
      code: "unsupported",
      where,
      expected: "Transformer, Pooling and perhaps Normalize",
      got: kinds.join(", "),
    });
  const path = paths[0]!;
  const settings = (await readObject(folder, `${path}sentence_bert_config.json`)) ?? {};
  return {
    path,
    embedding: {
      pooling: poolingOf(
        (await readObject(folder, `${paths[1]}config.json`)) ?? {},
        `${folder.where}/${paths[1]}config.json`,
      ),
      isNormalized: others.length > 0,
      ...maxTokensOf(settings),
    },
  };
}

const maxTokensOf = ({ max_seq_length: most }: JsonObject) =>
  typeof most === "number" && Number.isInteger(most) && most > 0 ? { maxTokens: most } : {};

function poolingOf(config: JsonObject, where: string): EmbeddingSettings["pooling"] {
  const named = config.pooling_mode;
  const set = Object.keys(POOLINGS).filter((key) => config[key] === true);
  const got = named === undefined ? set.map((key) => POOLINGS[key]) : [named].flat();
  const [only] = got;
  if (got.length === 1 && (only === "cls" || only === "mean")) return only;
  throw new OctetteError("a pooling that octette does not have", {
    code: "unsupported",
    where,
    expected: "cls or mean",
    got: got.join(" and ") || "none",
  });
}
