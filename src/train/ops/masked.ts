// Ops over codes beside the layers whose gradient stops where their result is out of range: as deployed, behind a step that
// finds the mask from the codes they read. (Behind, their result might lie where those were.)

import { countOf } from "../../graph/symbols";
import { perTensor } from "../../ops/codes";
import { add } from "../../ops/core/add";
import { averagePool } from "../../ops/core/average-pool";
import { globalAveragePool } from "../../ops/core/global-average-pool";
import type { Lowering, Op, Quantization, Unit } from "../../ops/op";
import { attributeWindow, globalWindow, meanWindow, type WindowRule } from "../../ops/pool";
import { numbered } from "../../ops/window";
import { withMask } from "./quantize";

function masked(op: Op, emitMask: (unit: Unit, c: Lowering, mask: string) => void): Op {
  return withMask(op, {
    lowerInteger(unit, c) {
      const [, mask = ""] = unit.outputs;
      if (mask !== "") emitMask(unit, c, mask);
      op.lowerInteger!(unit, c);
    },
  });
}

/** Bounds of a fused activation, in real numbers. */
const boundsOf = ({ clamp }: Unit) => [clamp?.lo ?? -Infinity, clamp?.hi ?? Infinity] as const;

const scaleAndZero = (q: Quantization | undefined, { node }: Unit) => {
  const { scale, zeroPoint } = perTensor(q, node);
  return [scale[0]!, zeroPoint[0]!] as const;
};

const maskedAdd = masked(add, (unit, c, mask) => {
  const [a, b] = unit.inputs as [string, string];
  const { inputs, output } = unit.integer!;
  const scales = [inputs[0], inputs[1], output].flatMap((q) => scaleAndZero(q, unit));
  const [batch, ...rest] = c.type(unit.outputs[0]!).shape;
  const [as, az, bs, bz, ys, yz] = scales as [number, number, number, number, number, number];
  const operands = [c.output(mask), c.input(a), c.input(b), as, az, bs, bz, ys, yz] as const;
  c.emit("addMask", [...operands, ...boundsOf(unit), countOf(rest)], batch!);
});

const averagePoolMask = (windowFor: WindowRule) => (unit: Unit, c: Lowering, mask: string) => {
  const [x] = unit.inputs as [string];
  const w = numbered(unit.node, c.type(x), windowFor(unit.node, c.type(x)));
  const { inputs, output } = unit.integer!;
  const scales = [...scaleAndZero(inputs[0], unit), ...scaleAndZero(output, unit)] as const;
  const operands = [c.output(mask), c.input(x), meanWindow(c, unit.node, w)] as const;
  c.emit("averagePoolMask", [...operands, ...scales, ...boundsOf(unit)], w.batch);
};

const maskedAveragePool = masked(averagePool, averagePoolMask(attributeWindow));
const maskedGlobalAveragePool = masked(globalAveragePool, averagePoolMask(globalWindow));

export { maskedAdd as add, maskedAveragePool as averagePool, maskedGlobalAveragePool as globalAveragePool };
