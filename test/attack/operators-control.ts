// If, Loop and Scan around nodes of other operators, which read what is around them, too.

import type { Builder, Value } from "./builder";
import type { ElementType } from "./elements";
import { anyAxis, type Maker } from "./forms";
import { rules } from "./rules";

const carriedTypes: readonly ElementType[] = ["f32", "f32", "f32", "i32", "i64"];

type Makers = Readonly<Record<string, Maker>>;

/** Whose results jump where their inputs move by a last bit. */
const jumping = new Set("Cast Ceil DynamicQuantizeLinear Equal Floor Mod QuantizeLinear".split(" "));
/** Operators that some rule explains: a rule sees a node of the model, and none of the graphs in it. */
const explained = new Set(rules.flatMap(({ ops = [] }) => ops));

/** One to three nodes after a value; what the last one makes, or the value where its shape is not known. */
function nodesAfter(b: Builder, makers: Makers, x: Value): Value {
  const names = Object.keys(makers);
  for (let n = b.int(1, 3); n > 0; n--) {
    b.current ??= x;
    makers[b.pick(names)]!(b);
  }
  return b.current ?? x;
}

/** A node of one input that keeps type and shape. */
function kept(b: Builder, x: Value): Value {
  const op = b.pick(
    x.type === "f32" ? ["Tanh", "Neg", "Abs", "Relu", "Identity"] : ["Neg", "Abs", "Identity"],
  );
  b.node(op, [x], {}, [x.type, x.shape]);
  return b.current!;
}

/** A scalar that a run is given, mostly. */
const scalar = (b: Builder, type: ElementType, value: number): Value =>
  b.operand(b.elements(type, b.chance(0.85) ? [] : [1], [value]), 0.25);

const branches =
  (makers: Makers): Maker =>
  (b) => {
    const x = b.data(carriedTypes);
    const holds = b.int(0, 1);
    const condition = scalar(b, "bool", holds);
    let [made, other]: [Value, Value] = [x, x];
    const isShort = b.chance(0.15);
    const thenBranch = b.body([], () => {
      b.current = x;
      if (!isShort) made = nodesAfter(b, makers, x);
      // No number becomes one of a type that cannot hold it.
      if (!carriedTypes.includes(made.type)) made = x;
      return [made];
    });
    const elseBranch = b.body([], () => {
      b.current = x;
      other = b.chance(0.5) && made.type === x.type ? (isShort ? x : kept(b, x)) : nodesAfter(b, makers, x);
      if (other.type !== made.type) {
        b.node("Cast", [other], { to: b.typeNumber(made.type) }, [made.type, other.shape]);
        other = b.current!;
      }
      return [other];
    });
    const attributes = { then_branch: { graph: thenBranch }, else_branch: { graph: elseBranch } };
    b.node("If", [condition], attributes, [made.type, holds ? made.shape : other.shape]);
  };

const loop =
  (makers: Makers): Maker =>
  (b) => {
    if (b.opset < 9) return false;
    const x = b.data(carriedTypes);
    const most = b.int(0, 4);
    const ends = b.chance(0.4);
    const hasTrips = !ends || b.chance(0.7);
    const trips = hasTrips ? scalar(b, "i64", most) : undefined;
    const condition =
      b.chance(ends ? 0.6 : 0.3) || !hasTrips ? scalar(b, "bool", b.chance(0.85) ? 1 : 0) : undefined;
    const [count, goes] = [b.local("i64", []), b.local("bool", [])];
    const carried = b.local(x.type, x.shape);
    const grows = x.shape.length > 0 && b.chance(0.15);
    let scanned: Value = carried;
    const body = b.body([count, goes, carried], () => {
      b.current = carried;
      scanned = nodesAfter(b, makers, carried);
      let next = `${scanned.type} ${scanned.shape}` === `${x.type} ${x.shape}` ? scanned : kept(b, carried);
      if (grows) {
        const part = b.constant(b.elements(x.type, x.shape));
        b.node("Concat", [next, part], { axis: 0 }, [x.type, x.shape]);
        next = b.current!;
      } else if (b.chance(0.3)) {
        b.node("Cast", [count], { to: b.typeNumber(x.type) }, [x.type, []]);
        b.node("Add", [next, b.current], {}, [x.type, x.shape]);
        next = b.current!;
      }
      let on: Value = goes;
      if (ends) {
        b.node("Less", [count, b.constant(b.elements("i64", [], [b.int(0, 3)]))], {}, ["bool", []]);
        on = b.current!;
      }
      return [on, next, scanned];
    });
    b.node(
      "Loop",
      [trips, condition, x],
      { body: { graph: body } },
      [x.type, grows ? undefined : x.shape],
      [scanned.type, undefined],
    );
  };

const scan =
  (makers: Makers): Maker =>
  (b) => {
    if (b.opset < 9) return false;
    const x = b.data(carriedTypes, 1);
    const rank = x.shape.length;
    const axis = b.chance(0.6) ? 0 : anyAxis(b, rank);
    const at = (axis + rank) % rank;
    const shape = x.shape.toSpliced(at, 1);
    const start = b.operand(b.elements(x.type, shape), 0.4);
    const [state, slice] = [b.local(x.type, shape), b.local(x.type, shape)];
    let made: Value = slice;
    const body = b.body([state, slice], () => {
      b.current = slice;
      made = nodesAfter(b, makers, slice);
      b.node("Add", [state, slice], {}, [x.type, shape]);
      return [b.current!, made];
    });
    const outAxis = b.chance(0.6) ? 0 : anyAxis(b, made.shape.length + 1);
    const attributes: Record<string, unknown> = {
      ...(axis === 0 && b.chance(0.5) ? {} : { scan_input_axes: { ints: [axis] } }),
      ...(outAxis === 0 && b.chance(0.5) ? {} : { scan_output_axes: { ints: [outAxis] } }),
    };
    for (const name of ["scan_input_directions", "scan_output_directions"])
      if (b.chance(0.6)) attributes[name] = { ints: [b.int(0, 1)] };
    b.node(
      "Scan",
      [start, x],
      { body: { graph: body }, num_scan_inputs: 1, ...attributes } as never,
      [x.type, shape],
      [made.type, undefined],
    );
  };

/** Control flow over the operators given, of plain numbers; an If may stand in another one. */
export function control(makers: Makers): Makers {
  const steady = Object.fromEntries(
    Object.entries(makers).filter(([op]) => !jumping.has(op) && !/^QLinear/.test(op) && !explained.has(op)),
  );
  const inner = { ...steady, If: branches(steady) };
  const made = { If: branches(inner), Loop: loop(inner), Scan: scan(steady) };
  return Object.fromEntries(
    Object.entries(made).map(([op, make]): [string, Maker] => [op, (b) => (b.wild ? false : make(b))]),
  );
}
