// What integer layers read and make, as ONNX's QDQ form has it: DequantizeLinear in front of the float operator, a clamp and QuantizeLinear
// behind it.

import { OctetteError } from "../../errors";
import type { CodeParameters, Codes, Node } from "../../graph/graph";
import { sizeOf, type Tensor, tensor } from "../../graph/tensor";
import { fitsInt4 } from "../int4";
import { writeDequantizeRows } from "./export-quantized";
import type { Target } from "./target";
import { dataTypes } from "./write-proto";

/** A place that is nearer to a code than this rounds to it. */
const NEAR = 0.49;

/** Codes of values in the file, which have other names where the graph's name is that of the numbers they stand for. */
export class CodedOperands {
  readonly #target: Target;
  /** Numbers that codes stand for, by codes, scale and zero point. */
  readonly #real = new Map<string, string>();

  constructor(target: Target) {
    this.#target = target;
  }

  /** The float node that an integer layer computes, over the numbers that its codes stand for. */
  inputsOf({ inputs, codes, ...node }: Node & { readonly codes: Codes }): readonly string[] {
    const bias = codes.inputs.findIndex((p, i) => i > 0 && p?.scale === "" && !p.groups);
    return inputs.map((value, i) => {
      const own = codes.inputs[i];
      if (!own) return value;
      if (i !== bias) return this.#read(value, own);
      return this.#bias(value, codes.inputs[0]!, codes.inputs[1]!, node.name);
    });
  }

  #read(value: string, own: CodeParameters): string {
    const key = JSON.stringify([value, own]);
    const known = this.#real.get(key);
    if (known !== undefined) return known;
    const target = this.#target;
    const { shape } = target.type(value);
    const real = this.#dequantize(value, own);
    this.#real.set(key, real);
    return target.define(real, { dtype: "f32", shape });
  }

  #dequantize(value: string, { scale, zeroPoint, axis, groups }: CodeParameters): string {
    const target = this.#target;
    const constant = target.constant(value);
    const codes = constant
      ? this.#constantCodes(value, constant, groups !== undefined)
      : target.codesOf(value);
    const made = target.fresh(`${value}_real`);
    if (groups) {
      if (groups.offsets !== undefined || !constant)
        throw new OctetteError("its groups of weights have offsets, which ONNX's codes do not have", {
          code: "unsupported",
          where: `constant "${value}"`,
        });
      const scales = groupScales(
        constant,
        target.constant(scale),
        target.constant(groups.scales)!,
        groups.size,
      );
      const held = target.hold(`${value}_scales`, scales);
      const attributes = { axis: 1, block_size: groups.size };
      return target.add("DequantizeLinear", [codes, held], { outputs: [made], attributes });
    }
    if (axis === -1 && !target.constant(scale))
      return writeDequantizeRows(target, codes, scale, zeroPoint, made);
    if (axis === -1) {
      const { shape } = target.type(value);
      const each = tensor("f32", [...(shape as number[]).slice(0, -1), 1], target.constant(scale)!.data);
      const attributes = { axis: shape.length - 1, block_size: shape.at(-1) as number };
      const inputs = [codes, target.hold(`${value}_scales`, each)];
      return target.add("DequantizeLinear", inputs, { outputs: [made], attributes });
    }
    const inputs = [
      codes,
      target.operand(scale),
      zeroPoint === "" ? "" : target.codesOf(target.operand(zeroPoint)),
    ];
    const attributes = axis === undefined ? {} : { axis };
    return target.add("DequantizeLinear", inputs, { outputs: [made], attributes });
  }

  /** Constant codes: of 4 bits where all fit. ONNX Runtime has integer kernels for bytes alone, of which it makes these when it loads them. */
  #constantCodes(value: string, constant: Tensor, isInBlocks: boolean): string {
    if (!fitsInt4(constant)) return this.#target.operand(value);
    const codes = this.#target.operand(value, "i4");
    return isInBlocks ? codes : this.#target.add("Cast", [codes], { attributes: { to: dataTypes.i8 } });
  }

  /** Codes of a bias, whose scale is that of the layer's sums. */
  #bias(value: string, x: CodeParameters, w: CodeParameters, node: string): string {
    const target = this.#target;
    const [xs, ws] = [target.constant(x.scale), target.constant(w.scale)];
    if (!xs || !ws)
      throw new OctetteError("its bias has codes, but its scales are computed", {
        code: "unsupported",
        where: `node "${node}"`,
      });
    const sums = Float32Array.from(ws.data, (s) => xs.data[0]! * s);
    const { shape } = target.type(value);
    const scale = target.hold(`${value}_scale`, tensor("f32", sums.length === 1 ? [] : [sums.length], sums));
    const made = target.fresh(`${value}_real`);
    const attributes = sums.length === 1 ? {} : { axis: 0 };
    target.add("DequantizeLinear", [target.operand(value, "i32"), scale], { outputs: [made], attributes });
    return target.define(made, { dtype: "f32", shape });
  }

  /**
   * Whether codes saturate where a clamp of two ends does. ONNX Runtime's optimizer gives two nodes one name where such a clamp stands
   * between a Conv and a QuantizeLinear.
   */
  #saturates(value: string, { scale, zeroPoint }: CodeParameters, { lo, hi }: { lo: number; hi: number }) {
    const [s, zero] = [scale, zeroPoint].map((name) => this.#target.constant(name)?.data[0]);
    if (s === undefined || !(Number.isFinite(lo) && Number.isFinite(hi))) return false;
    const least = this.#target.type(value).dtype === "i8" ? -128 : 0;
    const place = (end: number) => end / s + (zero ?? 0) - least;
    return place(lo) < NEAR && place(hi) > 255 - NEAR;
  }

  /** Names for what a layer's operator makes, and what follows it: `write` is called with the first output's name. */
  outputOf({ name, outputs, codes }: Node & { readonly codes: Codes }, write: (real: string) => void): void {
    const target = this.#target;
    const [value = ""] = outputs;
    const { output, bounds } = codes;
    const isOutput = target.graph.outputs.includes(value);
    // Codes that leave the graph keep the name; else the numbers have it.
    const real = output && isOutput ? target.fresh(`${value}_real`) : value;
    const isClamped = bounds !== undefined && !(output && this.#saturates(value, output, bounds));
    const first = isClamped ? target.fresh(`${value}_sums`) : real;
    const { shape } = target.type(value);
    target.define(first, { dtype: "f32", shape });
    write(first);
    if (isClamped) {
      const { lo, hi } = bounds;
      const ends = [lo, hi].map((end) => (Number.isFinite(end) ? target.number(end) : ""));
      const isRelu = lo === 0 && hi === Infinity;
      const outputs = [real];
      if (isRelu) target.add("Relu", [first], { outputs, name: target.freshNode(`${name}_relu`) });
      else target.add("Clip", [first, ...ends], { outputs, name: target.freshNode(`${name}_clip`) });
    }
    if (!output) return;
    const made = isOutput ? value : target.fresh(`${value}_codes`);
    if (!isOutput) target.nameCodes(value, made);
    const zero = output.zeroPoint === "" ? "" : target.operand(output.zeroPoint);
    const inputs = [real, target.operand(output.scale), zero];
    target.add("QuantizeLinear", inputs, { outputs: [made], name: target.freshNode(`${name}_quantize`) });
  }
}

/** Scales [n, k / size] of groups, those of rows in them. */
function groupScales(
  { shape: [n = 0, k = 0] }: Tensor,
  row: Tensor | undefined,
  { data }: Tensor,
  size: number,
): Tensor {
  const groups = Math.ceil(k / size);
  const scales = Float32Array.from(
    data,
    (s, i) => s * (row?.data[row.data.length === 1 ? 0 : Math.floor(i / groups)] ?? 1),
  );
  return tensor("f32", [n, sizeOf([groups])], scales);
}
