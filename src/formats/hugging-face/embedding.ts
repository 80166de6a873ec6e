// Folders of sentence-transformers: modules.json lists what follows the model. A mean or the first token's state, dense layers, and division
// by its length, become part of the graph; any other module is refused by name.

import { FormatError, OctetteError } from "../../errors";
import { checkName, type Folder } from "../../files/folder";
import { brief } from "../checks";
import { isJsonObject, type JsonObject } from "../json";
import type { EmbeddingLayer, EmbeddingSettings } from "../language-source";
import { readJson, readObject } from "./folder";

/** What modules.json says: where the model lies, and how an embedding is made of it. */
export interface Modules {
  /** Path of the model with a slash behind it, "" for the folder itself. */
  readonly path: string;
  readonly embedding?: EmbeddingSettings;
  /** Paths of the dense layers, whose tensors' names begin with them. */
  readonly layers: readonly string[];
  /** Texts are made lower case before they are tokens. */
  readonly lowersCase: boolean;
}

/** Functions of dense layers, by the ends of torch's names. */
const ACTIVATIONS: Readonly<Record<string, string | undefined>> = {
  GELU: "gelu",
  Identity: undefined,
  ReLU: "relu",
  SiLU: "silu",
  Sigmoid: "sigmoid",
  Tanh: "tanh",
};

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
  if (modules === undefined) return { path: "", layers: [], lowersCase: false };
  const where = `${folder.where}/modules.json`;
  if (!Array.isArray(modules) || !modules.every(isJsonObject))
    throw new FormatError("is not a list of modules", { where });
  const kinds = modules.map(({ type }) => String(type).split(".").at(-1)!);
  const pathOf = (i: number) => `${checkName(String(modules[i]!.path ?? ""), where)}/`;
  if (!/^Transformer Pooling( Dense)*( Normalize)*$/.test(kinds.join(" ")))
    throw new OctetteError("a module that octette does not have", {
      code: "unsupported",
      where,
      expected: "Transformer, Pooling and perhaps Dense and Normalize",
      got: kinds.join(", "),
    });
  const path = modules[0]!.path ? pathOf(0) : "";
  const settings = (await readObject(folder, `${path}sentence_bert_config.json`)) ?? {};
  await checkPrompt(folder);
  const layers = kinds.flatMap((kind, i) => (kind === "Dense" ? [pathOf(i)] : []));
  const pooling = `${pathOf(1)}config.json`;
  return {
    path,
    layers,
    lowersCase: settings.do_lower_case === true,
    embedding: {
      pooling: poolingOf((await readObject(folder, pooling)) ?? {}, `${folder.where}/${pooling}`),
      ...(layers.length > 0 && { layers: await Promise.all(layers.map((layer) => layerOf(folder, layer))) }),
      isNormalized: kinds.includes("Normalize"),
      ...maxTokensOf(settings),
    },
  };
}

/** Throws OctetteError "unsupported" where a folder says that a prompt stands before each text. */
async function checkPrompt(folder: Folder): Promise<void> {
  const name = "config_sentence_transformers.json";
  const { default_prompt_name: prompt, prompts } = (await readObject(folder, name)) ?? {};
  if (typeof prompt !== "string" || (isJsonObject(prompts) && prompts[prompt] === "")) return;
  throw new OctetteError("a prompt that octette does not put before texts", {
    code: "unsupported",
    where: `${folder.where}/${name}, default_prompt_name`,
    got: brief(prompt),
    hint: "Set it to null, and put the prompt before texts yourself",
  });
}

/** Reads what a dense layer's config.json says. Throws OctetteError "unsupported" where it computes something else. */
async function layerOf(folder: Folder, path: string): Promise<EmbeddingLayer> {
  const {
    activation_function: activation = "Tanh",
    bias = true,
    module_input_name: input = "sentence_embedding",
    module_output_name: output = input,
  } = (await readObject(folder, `${path}config.json`)) ?? {};
  const refuse = (what: string, expected: string, got: unknown): OctetteError =>
    new OctetteError(`${what} that octette does not have`, {
      code: "unsupported",
      where: `${folder.where}/${path}config.json`,
      expected,
      got: brief(got),
    });
  const name = String(activation).split(".").at(-1)!;
  if (!Object.hasOwn(ACTIVATIONS, name))
    throw refuse("an activation_function", Object.keys(ACTIVATIONS).join(", "), activation);
  const others = [input, output].find((one) => one !== "sentence_embedding");
  if (others !== undefined) throw refuse("a module_input_name", "sentence_embedding", others);
  const own = ACTIVATIONS[name];
  return { name: `${path}linear`, hasBias: bias !== false, ...(own && { activation: own }) };
}

const maxTokensOf = ({ max_seq_length: most }: JsonObject) =>
  typeof most === "number" && Number.isInteger(most) && most > 0 ? { maxTokens: most } : {};

function poolingOf(config: JsonObject, where: string): EmbeddingSettings["pooling"] {
  const named = config.pooling_mode;
  const set = Object.keys(POOLINGS).filter((key) => config[key] === true);
  const got = named === undefined ? set.map((key) => POOLINGS[key]) : [named].flat();
  const [only] = got;
  if (got.length === 1 && (only === "cls" || only === "mean")) return only;
  if (got.length === 1 && only === "lasttoken") return "last";
  throw new OctetteError("a pooling that octette does not have", {
    code: "unsupported",
    where,
    expected: "cls, mean or lasttoken",
    got: got.join(" and ") || "none",
  });
}
