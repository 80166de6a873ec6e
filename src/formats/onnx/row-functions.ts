// Codes with a range for every row, written with ONNX's operators as functions of the model: what DynamicQuantizeLinear is for all
// elements, for each row of the last axis. Whoever reads them as octette's own need not look into them.

import { SMALLEST_SCALE } from "../../../assembly/int8/sizes";
import { tensor } from "../../graph/tensor";
import { ROW_FUNCTIONS } from "./convert-functions";
import { dataTypes, type WrittenAttribute, type WrittenFunction, type WrittenNode } from "./write-proto";

const LARGEST_CODE = 255;

const int = (value: number): WrittenAttribute => ({ kind: "int", value });

/** Nodes of a function: `add` gives the value that is made. */
class Body {
  readonly nodes: WrittenNode[] = [];

  add(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, WrittenAttribute>> = {},
    output = `v${this.nodes.length}`,
  ): string {
    const own = new Map(Object.entries(attributes));
    this.nodes.push({
      name: `n${this.nodes.length}`,
      op,
      domain: "",
      inputs,
      outputs: [output],
      attributes: own,
    });
    return output;
  }

  float(value: number): string {
    const held = { kind: "f32", tensor: tensor("f32", [], [value]) } as const;
    return this.add("Constant", [], { value: { kind: "tensor", value: held } });
  }

  integers(...values: readonly number[]): string {
    const held = { kind: "i64", tensor: tensor("i32", [values.length], values) } as const;
    return this.add("Constant", [], { value: { kind: "tensor", value: held } });
  }
}

/** s = (max(0, hi) − min(0, lo)) / 255, zp = rne(clamp(0 − lo/s, 0, 255)), and the codes under them. */
function quantizeBody(): WrittenNode[] {
  const body = new Body();
  const [zero, last] = [body.float(0), body.integers(-1)];
  const lo = body.add("Min", [body.add("ReduceMin", ["x", last], { keepdims: int(1) }), zero]);
  const hi = body.add("Max", [body.add("ReduceMax", ["x", last], { keepdims: int(1) }), zero]);
  const largest = body.float(LARGEST_CODE);
  const step = body.add("Div", [body.add("Sub", [hi, lo]), largest]);
  const isNone = body.add("Less", [step, body.float(SMALLEST_SCALE)]);
  body.add("Where", [isNone, body.float(1), step], {}, "scale");
  const place = body.add("Where", [isNone, zero, body.add("Div", [body.add("Neg", [lo]), "scale"])]);
  const point = body.add("Clip", [body.add("Round", [place]), zero, largest]);
  body.add("Cast", [point], { to: int(dataTypes.u8) }, "zero_point");
  const steps = body.add("Add", [body.add("Round", [body.add("Div", ["x", "scale"])]), point]);
  body.add("Cast", [body.add("Clip", [steps, zero, largest])], { to: int(dataTypes.u8) }, "codes");
  return body.nodes;
}

function dequantizeBody(): WrittenNode[] {
  const body = new Body();
  const [q, z] = ["codes", "zero_point"].map((value) =>
    body.add("Cast", [value], { to: int(dataTypes.f32) }),
  );
  body.add("Mul", [body.add("Sub", [q!, z!]), "scale"], {}, "y");
  return body.nodes;
}

const { domain, quantize, dequantize } = ROW_FUNCTIONS;

export const rowFunctions: Readonly<Record<"quantize" | "dequantize", WrittenFunction>> = {
  quantize: {
    domain,
    name: quantize,
    inputs: ["x"],
    outputs: ["codes", "scale", "zero_point"],
    nodes: quantizeBody(),
  },
  dequantize: {
    domain,
    name: dequantize,
    inputs: ["codes", "scale", "zero_point"],
    outputs: ["y"],
    nodes: dequantizeBody(),
  },
};
