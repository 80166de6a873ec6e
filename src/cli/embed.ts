// octette embed: texts to vectors, or to classes, with an encoder.

import { defineCommand } from "./command";
import { LOADING, loadLanguage, MODEL_HELP, noteLanguageThreads } from "./language";
import { POOLING } from "./options";
import { formatPercent } from "./terminal";

export const embedCommand = defineCommand({
  name: "embed",
  summary: "turn texts into embeddings, or classes, with an encoder",
  arguments: "MODEL TEXT… [options]",
  positionals: ["MODEL", "TEXT"],
  isRepeated: true,
  options: { ...LOADING, pooling: POOLING },
  notes: [
    `${MODEL_HELP} One line a text: the numbers of its embedding; of a model with classes, the likeliest and its probability.`,
    "In JSON: embeddings, a list of numbers for each text; or classes, each with label, index, probability and logits.",
  ],
  examples: [
    'octette embed FOLDER "a cat on a mat" "a dog on a log" --json',
    'octette embed bert-base-uncased --pooling mean "a cat on a mat"',
  ],
  async run([path = "", ...texts], values, context) {
    const { threads, pooling, "max-bytes": maxBytes } = values;
    const loading = { maxTokens: values.context, threads, maxBytes, pooling };
    using model = await loadLanguage(path, loading, context);
    if (model.facts.task === "classes") {
      const classes = await model.classify(texts, context.longCall);
      context.progress.end();
      const all = classes.map((one) => ({ ...one, logits: [...one.logits] }));
      const rows = classes.map(({ label, probability }, i) => [
        label,
        formatPercent(100 * probability),
        texts[i]!,
      ]);
      context.print({ model: path, classes: all }, () =>
        context.table(["class", "probability", "text"], rows, "lrl"),
      );
    } else {
      const embeddings = await model.embed(texts, context.longCall);
      context.progress.end();
      const all = embeddings.map((embedding) => [...embedding]);
      context.print({ model: path, embeddings: all }, () => all.map((numbers) => numbers.join(" ")));
    }
    noteLanguageThreads(model, threads, context);
  },
});
