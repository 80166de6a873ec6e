// octette bundle: a folder that a page can be served from.

import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { bundle } from "../bundle/index";
import { bundleLanguage } from "../bundle/language";
import { PORT, serveFolder } from "../bundle/serve";
import { readBytes } from "../engine/source";
import { makeFolder } from "../files/write-file";
import { isArtifact } from "../formats/octette";
import { OctetteError, preload, save } from "../index";
import { withNames } from "./classes";
import { type Context, defineCommand } from "./command";
import { isLanguageModel } from "./language";
import { withNormalize } from "./normalize";
import { openModel } from "./open-model";
import { CLASSES, choice, flag, folder, MAX_BYTES, NORMALIZE, type OptionSpec, UsageError } from "./options";
import { formatBytes } from "./terminal";

/** Kernels of --class. */
const KERNELS = {
  baseline: ["baseline"],
  extmul: ["extmul"],
  relaxed: ["baseline", "relaxed"],
  all: ["baseline", "extmul", "relaxed"],
} as const;

/** A port, or none for the usual one. */
const SERVE = {
  value: "PORT",
  isOptional: true,
  help: `serve the folder at this machine's PORT (${PORT}, or a free one) until Ctrl-C`,
  parse(text: string): { readonly port: number | undefined } {
    const port = text === "" ? undefined : Number(text);
    if (port === undefined || (Number.isInteger(port) && port > 0 && port < 65_536)) return { port };
    throw new UsageError(`--serve must be a port from 1 to 65535, got "${text}"`);
  },
} satisfies OptionSpec;

export const bundleCommand = defineCommand({
  name: "bundle",
  summary: "write a folder for a page: the model and the parts it needs",
  arguments: "MODEL --output DIR",
  positionals: ["MODEL"],
  options: {
    output: folder("folder to write, made where there is none"),
    class: choice(
      "CLASS",
      ["baseline", "extmul", "relaxed", "all"],
      "int8 kernels: baseline or extmul, which run everywhere, relaxed (and baseline where that is not exact), or all (the default)",
    ),
    wasm: choice(
      "PLACE",
      ["inline", "beside"],
      "inline (the default): inside the script; beside: in files, of which a page loads what its engine runs",
    ),
    classes: CLASSES,
    normalize: NORMALIZE,
    serve: SERVE,
    force: flag("write into a folder that holds something already, over the model, too"),
    "max-bytes": MAX_BYTES,
  },
  notes: [
    "index.html is a page to try the model in: drop or draw a picture, use the camera or the microphone, move sliders, paste a row of a CSV. It needs page.js, page.css and icon.svg, and nothing from elsewhere.",
    "octette.js is for pages of your own: an ES module that exports load(options). thread-pool.js and threads-worker.js are loaded where { threads: 2 } asks for them. Serve the folder over http. A content security policy needs script-src 'wasm-unsafe-eval', and connect-src for the model.",
    "Of a language model (an .octette): a page with a prompt, whose worker generates with text.js, and streams.",
    "A model in ONNX or TensorFlow Lite format is imported and saved as .octette; a float one stays float: octette quantize makes it int8.",
  ],
  examples: [
    "octette bundle digits.octette -o page --serve",
    "octette bundle photos.onnx -o page --classes labels.txt --normalize 1/255,0.485:0.456:0.406,0.229:0.224:0.225",
    "octette bundle digits.octette -o page --class baseline --wasm beside",
  ],
  async run([path = ""], values, context) {
    const { output: folder, force = false, "max-bytes": maxBytes } = values;
    const classes = KERNELS[values.class ?? "all"];
    const beside = values.wasm === "beside";
    if (!force) await checkEmpty(folder);
    if (await isLanguageModel(path)) {
      if (values.class || values.wasm || values.classes || values.normalize)
        throw new UsageError("--class, --wasm, --classes and --normalize are not for language models");
      await writeLanguagePage(path, values, context);
      return serve(values, context);
    }
    const { graph: plain, bytes, format } = await openModel(path, context);
    const graph = withNormalize(await withNames(plain, values.classes), values.normalize);
    const model = `${basename(path).replace(/\.(onnx|octette|tflite)$/i, "")}.octette`;
    await preload();
    const artifact = format === "octette" && graph === plain ? bytes : save(graph, { maxBytes });
    const { ops, kernels, files } = await bundle(graph, artifact, { model, classes, beside });
    await makeFolder(folder);
    for (const name of files.keys()) await context.checkOutput(join(folder, name));
    for (const [name, content] of files) await context.write(join(folder, name), content, context.signal);
    const sizes = await sizesOf(files, constants.BROTLI_MAX_QUALITY, context);
    context.print({ model: path, folder, classes, ops, kernels, files: sizes }, () => [
      ...sizesTable(sizes, context),
      ...nextStep(path, values),
    ]);
    await serve(values, context);
  },
});

interface Serving {
  readonly output: string;
  readonly serve?: { readonly port: number | undefined };
}

/** What to do with the folder, unless it is being done. */
const nextStep = (path: string, { output, serve }: Serving) =>
  serve ? [] : ["", `look at it: octette bundle ${path} -o ${output} --force --serve`];

/** Serves the folder until Ctrl-C, if asked to. */
async function serve({ output, serve }: Serving, { log, signal }: Context): Promise<void> {
  if (!serve) return;
  const { address, ended } = await serveFolder(output, serve.port, signal);
  log(`${address} shows ${output} on this machine. Ctrl-C ends it.`);
  await ended;
}

/** The page of a language model, which generates in a worker. */
async function writeLanguagePage(path: string, values: Serving, context: Context): Promise<void> {
  const { output: folder } = values;
  const artifact = (await stat(path)).isFile() ? await readBytes(path, context.signal) : undefined;
  if (!artifact || !isArtifact(artifact))
    throw new OctetteError("is no artifact, which has weights and text in one file", {
      code: "argument",
      where: path,
      expected: "an .octette",
      hint: "Make one with octette quantize MODEL -o MODEL.octette",
    });
  const files = await bundleLanguage(artifact, basename(path));
  await makeFolder(folder);
  for (const name of files.keys()) await context.checkOutput(join(folder, name));
  for (const [name, content] of files) await context.write(join(folder, name), content, context.signal);
  const sizes = await sizesOf(files, QUICK, context);
  context.print({ model: path, folder, files: sizes }, () => [
    ...sizesTable(sizes, context),
    ...nextStep(path, values),
  ]);
}

async function checkEmpty(folder: string): Promise<void> {
  const present = await readdir(folder).catch(() => []);
  if (present.length > 0)
    throw new OctetteError("the folder is not empty", {
      code: "argument",
      where: folder,
      hint: "Name another one, or take --force: files of the same names are replaced",
    });
}

interface Size {
  readonly file: string;
  readonly bytes: number;
  readonly brotli: number;
}

/** Quality of brotli for models of many megabytes. */
const QUICK = 5;

/** What each file takes, and compressed. */
async function sizesOf(
  files: ReadonlyMap<string, Uint8Array | string>,
  quality: number,
  { progress, signal }: Context,
): Promise<Size[]> {
  const compress = promisify(brotliCompress);
  const sizes: Size[] = [];
  for (const [file, content] of files) {
    progress.update("compressing, to tell sizes", sizes.length, files.size, file);
    const { length } = await compress(content, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
    sizes.push({ file, bytes: content.length, brotli: length });
    signal.throwIfAborted();
  }
  progress.update("compressing, to tell sizes", files.size, files.size);
  progress.end();
  return sizes;
}

function sizesTable(sizes: readonly Size[], { table }: Context): string[] {
  const row = ({ file, bytes, brotli }: Size) => [file, formatBytes(bytes), formatBytes(brotli)];
  const sum = (key: "bytes" | "brotli") => sizes.reduce((n, size) => n + size[key], 0);
  const all = row({ file: "in all", bytes: sum("bytes"), brotli: sum("brotli") });
  return table(["file", "raw", "brotli"], [...sizes.map(row), all], "lrr");
}
