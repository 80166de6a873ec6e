// Broadcasting of up to three operands with five loops. The walk is compiled for each function of elements, which it is given as a
// class without fields.

/** What is done with a row of n elements: steps of operands are 1, or 0 to repeat one element. */
@unmanaged
export class Row {
  row(_type: i32, _y: usize, _a: usize, _as: i32, _b: usize, _bs: i32, _c: usize, _cs: i32, _n: i32): void {}
}

/** Steps of an operand that walks a loop of so many steps inside of which it has `inside` elements, or repeats. */
function stepOf(walks: i32, loop: i32, inside: i32): i32 {
  return (walks >> loop) & 1 ? inside : 0;
}

/** Elements of an operand in this loop and all inside of it. */
function elements(walks: i32, loop: i32, extent: i32, inside: i32): i32 {
  return (walks >> loop) & 1 ? extent * inside : inside;
}

/**
 * y[i0]…[i4] = f(a, b, c) for i0 from begin to end and i1 < d1 … i4 < d4.
 *
 * All are dense. Bit k of `walks` is 1 where a walks loop k and 0 where it repeats its elements there; bit 5 + k says that of b, and
 * 10 + k of c. Elements take 2^shift bytes.
 */
export function walk<F extends Row>(
  type: i32,
  y: usize,
  yShift: i32,
  a: usize,
  aShift: i32,
  b: usize,
  bShift: i32,
  c: usize,
  cShift: i32,
  walks: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  begin: i32,
  end: i32,
): void {
  const f = changetype<F>(0);
  const wb = walks >> 5;
  const wc = walks >> 10;
  // Elements inside of loops 3, 2, 1 and 0.
  const a3 = elements(walks, 4, d4, 1);
  const a2 = elements(walks, 3, d3, a3);
  const a1 = elements(walks, 2, d2, a2);
  const a0 = elements(walks, 1, d1, a1);
  const b3 = elements(wb, 4, d4, 1);
  const b2 = elements(wb, 3, d3, b3);
  const b1 = elements(wb, 2, d2, b2);
  const b0 = elements(wb, 1, d1, b1);
  const c3 = elements(wc, 4, d4, 1);
  const c2 = elements(wc, 3, d3, c3);
  const c1 = elements(wc, 2, d2, c2);
  const c0 = elements(wc, 1, d1, c1);
  y += (<usize>(begin * d1 * d2 * d3 * d4)) << yShift;
  a += (<usize>(begin * stepOf(walks, 0, a0))) << aShift;
  b += (<usize>(begin * stepOf(wb, 0, b0))) << bShift;
  c += (<usize>(begin * stepOf(wc, 0, c0))) << cShift;
  let row = 4;
  if (d1 * d2 * d3 * d4 == 1) {
    d4 = end - begin;
    row = 0;
    begin = 0;
    end = 1;
  }
  const as = stepOf(walks, row, 1);
  const bs = stepOf(wb, row, 1);
  const cs = stepOf(wc, row, 1);
  for (let i0 = begin; i0 < end; i0++) {
    for (let i1 = 0; i1 < d1; i1++) {
      for (let i2 = 0; i2 < d2; i2++) {
        let p = a + ((<usize>(i1 * stepOf(walks, 1, a1) + i2 * stepOf(walks, 2, a2))) << aShift);
        let q = b + ((<usize>(i1 * stepOf(wb, 1, b1) + i2 * stepOf(wb, 2, b2))) << bShift);
        let r = c + ((<usize>(i1 * stepOf(wc, 1, c1) + i2 * stepOf(wc, 2, c2))) << cShift);
        for (let i3 = 0; i3 < d3; i3++) {
          f.row(type, y, p, as, q, bs, r, cs, d4);
          p += stepOf(walks, 3, a3) << aShift;
          q += stepOf(wb, 3, b3) << bShift;
          r += stepOf(wc, 3, c3) << cShift;
          y += (<usize>d4) << yShift;
        }
      }
    }
    a += stepOf(walks, 0, a0) << aShift;
    b += stepOf(wb, 0, b0) << bShift;
    c += stepOf(wc, 0, c0) << cShift;
  }
}
