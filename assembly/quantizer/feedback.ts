// GPTQ (Frantar et al. 2022, arxiv.org/abs/2210.17323) as rounding to the nearest plane: column after column, each takes over what
// those before it left of the layer's error. With H = Mᵀ·M the error of a row is |M·(w − v)|², v what the codes stand for, so
// column j is rounded at w[j] + Σ_{i<j} n[j][i]·(w[i] − v[i]), n the unit rows of M: no inverse, and rows do not feel each other.
//
//   scratch:  | columns in order [k] of 16 rows: w, then w − v | 16 scales of each group | 16 reciprocals |

/** Rows done at once: four vectors. */
const ROWS: i32 = 16;

/** Bytes of scratch. */
export function feedbackScratchBytes(k: i32, groups: i32): i32 {
  return (k + 2 * groups) * 64;
}

/** q = clamp(rne(t·r), lo, hi) of what a column is rounded at, stored at `codes` as f32; returns w − s·q. */
function roundOff(codes: usize, w: v128, sum: v128, s: v128, r: v128, lo: v128, hi: v128): v128 {
  const t = f32x4.nearest(f32x4.mul(f32x4.add(w, sum), r));
  const q = f32x4.pmin(hi, f32x4.pmax(lo, t));
  v128.store(codes, q);
  return f32x4.sub(w, f32x4.mul(s, q));
}

/**
 * Codes of weights w [rows][k], rounded column by column in `order`, the error of each made good by those after it.
 * Range: rows.
 *
 * codes i8 and w f32 [rows][k]; s f32 [rows][groups], scales of groups of `size` columns; n f32 [k][ld], unit rows in the order of
 * `order` i32 [k]; codes are lo … hi. A group of scale 0 has codes 0. scratch: feedbackScratchBytes(k, groups) and 64 more.
 */
export function roundWithFeedback(
  codes: usize,
  w: usize,
  s: usize,
  n: usize,
  ld: i32,
  order: usize,
  scratch: usize,
  k: i32,
  size: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const groups = (k + size - 1) / size;
  const scales = scratch + ((<usize>k) << 6);
  const way = (<usize>groups) << 6;
  const made = scales + (way << 1);
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  for (let row = begin; row < end; row += ROWS) {
    for (let lane = 0; lane < ROWS; lane++) {
      const own = min(row + lane, end - 1);
      const at = (<usize>lane) << 2;
      const from = w + ((<usize>own * <usize>k) << 2);
      for (let j = 0; j < k; j++) {
        const column = load<i32>(order + ((<usize>j) << 2));
        store<f32>(scratch + ((<usize>j) << 6) + at, load<f32>(from + ((<usize>column) << 2)));
      }
      for (let g = 0; g < groups; g++) {
        const scale = load<f32>(s + ((<usize>own * <usize>groups + <usize>g) << 2));
        const to = scales + ((<usize>g) << 6) + at;
        store<f32>(to, scale);
        store<f32>(to + way, scale == 0 ? 0 : <f32>1 / scale);
      }
    }
    const count = min(ROWS, end - row);
    for (let j = 0; j < k; j++) {
      let a0 = f32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let e = scratch;
      let f = n + ((<usize>j * <usize>ld) << 2);
      for (const stop = scratch + ((<usize>j) << 6); e < stop; e += 64, f += 4) {
        const v = v128.load32_splat(f);
        a0 = f32x4.add(a0, f32x4.mul(v, v128.load(e)));
        a1 = f32x4.add(a1, f32x4.mul(v, v128.load(e, 16)));
        a2 = f32x4.add(a2, f32x4.mul(v, v128.load(e, 32)));
        a3 = f32x4.add(a3, f32x4.mul(v, v128.load(e, 48)));
      }
      const column = load<i32>(order + ((<usize>j) << 2));
      const own = scales + ((<usize>(column / size)) << 6);
      const one = own + way;
      a0 = roundOff(made, v128.load(e), a0, v128.load(own), v128.load(one), low, high);
      a1 = roundOff(made + 16, v128.load(e, 16), a1, v128.load(own, 16), v128.load(one, 16), low, high);
      a2 = roundOff(made + 32, v128.load(e, 32), a2, v128.load(own, 32), v128.load(one, 32), low, high);
      a3 = roundOff(made + 48, v128.load(e, 48), a3, v128.load(own, 48), v128.load(one, 48), low, high);
      v128.store(e, a0);
      v128.store(e, a1, 16);
      v128.store(e, a2, 32);
      v128.store(e, a3, 48);
      let to = codes + (<usize>row * <usize>k + <usize>column);
      for (let lane = 0; lane < count; lane++, to += <usize>k)
        store<i8>(to, <i8>load<f32>(made + ((<usize>lane) << 2)));
    }
  }
}
