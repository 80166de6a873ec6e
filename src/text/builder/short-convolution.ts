// The gated short convolution of LFM2: c · conv(b · x), with b, c and x of one layer each and a causal convolution of each channel.

import type { State } from "../../graph/graph";
import type { DecoderSettings } from "./decoder-settings";
import type { LanguageGraphWriter } from "./writer";

interface Convolving {
  readonly writer: LanguageGraphWriter;
  readonly settings: DecoderSettings;
  readonly prefix: string;
  readonly name: string;
  readonly states: State[];
}

/** The result over x [1, tokens, hidden], before the residual sum. */
export function shortConvolution(x: string, { writer, settings, prefix, name, states }: Convolving): string {
  const { weights } = writer;
  const { hidden, kernel } = settings;
  const input = `${prefix}conv.in_proj`;
  const [b, c, value] = ["b", "c", "x"].map((part, i) =>
    writer.linearPart(
      x,
      input,
      part,
      { n: 3 * hidden, k: hidden, rows: [[i * hidden, (i + 1) * hidden]] },
      `${name}.conv.${part}`,
    ),
  );
  const gated = writer.node("Mul", [b!, value!], `${name}.conv.input`);
  const conv = `${prefix}conv.conv`;
  const weight = weights.add(`${conv}.weight`, {
    tensors: [`${conv}.weight`],
    from: [hidden, 1, kernel],
    shape: [hidden, kernel],
  });
  const bias = weights.has(`${conv}.bias`) ? writer.vector(`${conv}.bias`, hidden) : "";
  const state = `${name}.conv.state`;
  states.push({ name: state, dtype: "f32", shape: [kernel - 1, hidden] });
  const mixed = writer.node("CausalConv", [gated, weight, bias, state], `${name}.conv.mixed`);
  const out = writer.node("Mul", [c!, mixed], `${name}.conv.gated`);
  return writer.linear(out, `${prefix}conv.out_proj`, [hidden, hidden], `${name}.conv.out`);
}
