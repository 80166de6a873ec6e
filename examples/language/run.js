// A language model on a small device: quantizes prose/ to 8 and to 4 bits, and once more with the outlier channels that large models
// have, measures each against the float model on a book that none of them has read, and lets the 4-bit model write.
// Every figure in the table is measured here. Run it with `npm run language` in a clone.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { quantizeLanguageModel } from "../../build/quantize-language.js";
import { createProgress, formatBytes, formatTable } from "../../build/terminal.js";
import { loadLanguageModel, perplexity } from "../../build/text.js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const PARTS = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];
const ROWS = [
  { as: "per tensor, 8 bits", options: { naive: true } },
  { as: "octette, 8 bits", options: { bits: 8 } },
  { as: "octette, 4 bits", options: { bits: 4 } },
];
const MAX_TOKENS = 512;
/** Windows of 256 tokens of the book that are read. */
const WINDOWS = 96;
/** Tokens whose generation is timed, after as many that warm up. */
const TIMED_TOKENS = 64;
const PROMPT = "It was a wild night in November, and";

/** The factor of an outlier channel. */
const FACTOR = 64;
/** Weights that read the result of each norm. */
const READERS = {
  input_layernorm: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  post_attention_layernorm: ["mlp.gate_proj", "mlp.up_proj"],
};

const progress = createProgress(process.stderr);
const book = await readFile(here("dracula_eval.txt"), "utf8");
const calibration = await readFile(here("dracula_tune.txt"), "utf8");
const prose = Object.fromEntries(
  await Promise.all(PARTS.map(async (name) => [name, await readFile(here(`prose/${name}`))])),
);
const outliers = { ...prose, "model.safetensors": await withOutliers(prose["model.safetensors"]) };

const rows = [];
let smallest;
for (const [name, folder] of Object.entries({ prose, "with outlier channels": outliers })) {
  const float = await loadLanguageModel(folder, { maxTokens: MAX_TOKENS });
  const fileBytes = folder["model.safetensors"].length;
  rows.push([name, "float", ...(await measure(float, name, "float")), formatBytes(fileBytes)]);
  for (const { as, options } of ROWS) {
    const { bytes } = await quantizeLanguageModel(folder, {
      ...options,
      calibration,
      onProgress: ({ stage, done, total }) => progress.update(`${name}, ${as}: ${stage}`, done, total),
    });
    const model = await loadLanguageModel(bytes, { maxTokens: MAX_TOKENS });
    rows.push([name, as, ...(await measure(model, name, as, float)), formatBytes(bytes.length)]);
    model.dispose();
    if (name === "prose" && options.bits === 4) smallest = bytes;
  }
  float.dispose();
}
progress.end();

console.log(formatTable(["model", "as", "perplexity", "KLD", "tokens a second", "memory", "file"], rows));
console.log(`
Perplexity on the end of Dracula, ${WINDOWS} windows of 256 tokens; KLD from the float model, in nats a token. PyTorch's quantize_dynamic
takes this model to 48.8, and to 12 933 with outlier channels (whole text, float 36.6).
`);

await writeFile(here("prose.octette"), smallest);
const writer = await loadLanguageModel(here("prose.octette"), { maxTokens: MAX_TOKENS });
process.stdout.write(`The 4-bit model goes on (examples/language/prose.octette):\n\n${PROMPT}`);
const sampling = { temperature: 0.8, topP: 0.95, seed: 7, maxTokens: 120 };
for await (const { text } of writer.session().generate(PROMPT, sampling)) process.stdout.write(text);
process.stdout.write(" …\n");
writer.dispose();

/** Perplexity, KLD, tokens a second and memory of a model. */
async function measure(model, name, as, against) {
  const measured = await perplexity(model, book, {
    windows: WINDOWS,
    against,
    onProgress: ({ done, total }) => progress.update(`${name}, ${as}: reads`, done, total),
  });
  const session = model.session();
  const generate = async (prompt) => {
    const start = performance.now();
    for await (const _ of session.generate(prompt, { maxTokens: TIMED_TOKENS, temperature: 0 }));
    return performance.now() - start;
  };
  await generate(PROMPT);
  const milliseconds = await generate();
  session.dispose();
  return [
    measured.perplexity.toFixed(2),
    measured.kld === undefined ? "" : measured.kld.toFixed(4),
    ((1000 * TIMED_TOKENS) / milliseconds).toFixed(0),
    formatBytes(model.memory.total),
  ];
}

/** The same function with outlier channels: some weights of the norms times FACTOR, and the weights that read them divided by it. */
async function withOutliers(model) {
  const channels = JSON.parse(await readFile(here("outliers.json"), "utf8"));
  const bytes = Buffer.from(model);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  /** Multiplies some of the columns of a bf16 tensor by a power of two, which is exact. */
  const scale = (tensor, columns, factor) => {
    const {
      shape,
      data_offsets: [from],
    } = header[tensor];
    const width = shape.at(-1);
    const rowCount = shape.length > 1 ? shape[0] : 1;
    for (let row = 0; row < rowCount; row++)
      for (const column of columns) {
        const at = 8 + length + from + 2 * (row * width + column);
        const word = new Uint32Array([bytes.readUInt16LE(at) << 16]);
        const number = new Float32Array(word.buffer);
        number[0] *= factor;
        bytes.writeUInt16LE(word[0] >>> 16, at);
      }
  };
  for (const [norm, columns] of Object.entries(channels)) {
    const [, layer, kind] = /^(model\.layers\.\d+)\.(\w+)\.weight$/.exec(norm);
    scale(norm, columns, FACTOR);
    for (const reader of READERS[kind]) scale(`${layer}.${reader}.weight`, columns, 1 / FACTOR);
  }
  return bytes;
}
