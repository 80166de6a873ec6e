// Cosines and sines of rotary position embeddings, computed where they are needed: no tables lie in memory.
//
// An angle x becomes r = x − k·π/2 with |r| ≤ π/4 (Cody and Waite, π/2 in two parts of 33 and 53 bits, so that k·HIGH is exact for
// k < 2^20); sin r and cos r are the minimax polynomials of FreeBSD's k_sinf.c and k_cosf.c (errors below 2^-37 and 2^-34), in f64.

const HIGH: f64 = 1.5707963267341256;
const LOW: f64 = 6.077100506506192e-11;

/** sin r for |r| ≤ π/4. */
function sine(r: f64): f64 {
  const z = r * r;
  const s = z * r;
  const tail = -0.00019839334836096632 + z * 2.718311493989822e-6;
  return r + s * (-0.16666666641626524 + z * 0.008333329385889463) + s * (z * z) * tail;
}

/** cos r for |r| ≤ π/4. */
function cosine(r: f64): f64 {
  const z = r * r;
  const w = z * z;
  const tail = -0.001388676377460993 + z * 2.439044879627741e-5;
  return 1 + z * -0.499999997251031 + w * 0.04166662332373906 + w * z * tail;
}

/**
 * cos[t][i] = scale · cos((position + t)·frequencies[i]), and sin likewise; products in f32. Range: tokens t.
 *
 * frequencies f32 [n]; cos, sin [tokens][n]. Within 1 ulp for angles up to 2^20 where scale is 1; position + t is below 2^24.
 */
export function rotaryAngles(
  cos: usize,
  sin: usize,
  frequencies: usize,
  n: i32,
  position: i32,
  scale: f32,
  begin: i32,
  end: i32,
): void {
  const factor = <f64>scale;
  for (let t = begin; t < end; t++) {
    const row = (<usize>(t * n)) << 2;
    const at = <f32>(position + t);
    for (let i = 0; i < n; i++) {
      const offset = (<usize>i) << 2;
      const x = <f64>(at * load<f32>(frequencies + offset));
      const k = nearest<f64>(x * 0.6366197723675814);
      const r = x - k * HIGH - k * LOW;
      const quadrant = <i32>(<i64>k);
      const s = sine(r);
      const c = cosine(r);
      const isOdd = quadrant & 1;
      const found = isOdd ? c : s;
      const other = isOdd ? s : c;
      store<f32>(sin + row + offset, <f32>(factor * (quadrant & 2 ? -found : found)));
      store<f32>(cos + row + offset, <f32>(factor * ((quadrant + 1) & 2 ? -other : other)));
    }
  }
}
