// Inverses of sine, cosine and tangent on four f32 lanes, by Cephes' asinf and atanf (Moshier, netlib.org/cephes/single.tgz, asinf.c,
// atanf.c).

/** arcsin s for 0 ≤ s ≤ ½, z = s². */
function arcsine(s: v128, z: v128): v128 {
  let p = f32x4.splat(4.2163199048e-2);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.4181311049e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(4.5470025998e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(7.4953002686e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.6666752422e-1));
  return f32x4.add(f32x4.mul(f32x4.mul(p, z), s), s);
}

/** Where |x| > ½: arcsin √((1 − |x|) / 2), which is half of arccos |x|; else arcsin |x|. */
function halved(size: v128, isLarge: v128): v128 {
  const half = f32x4.mul(f32x4.sub(f32x4.splat(1), size), f32x4.splat(0.5));
  const z = v128.bitselect(half, f32x4.mul(size, size), isLarge);
  return arcsine(v128.bitselect(f32x4.sqrt(half), size, isLarge), z);
}

/** Within 2 ulp; NaN where |x| > 1. */
export function asin(x: v128): v128 {
  const size = f32x4.abs(x);
  const isLarge = f32x4.gt(size, f32x4.splat(0.5));
  const a = halved(size, isLarge);
  const large = f32x4.sub(f32x4.splat(1.5707963267948966), f32x4.add(a, a));
  const y = v128.bitselect(large, a, isLarge);
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

/** Within 2 ulp; NaN where |x| > 1. */
export function acos(x: v128): v128 {
  const size = f32x4.abs(x);
  const isLarge = f32x4.gt(size, f32x4.splat(0.5));
  const isBelow = f32x4.lt(x, f32x4.splat(0));
  const a = halved(size, isLarge);
  const twice = f32x4.add(a, a);
  const large = v128.bitselect(f32x4.sub(f32x4.splat(3.141592653589793), twice), twice, isBelow);
  const signed = v128.bitselect(f32x4.neg(a), a, isBelow);
  // π/2 in two parts, the second below the first one's last bit.
  const small = f32x4.sub(
    f32x4.splat(1.5707963705062866),
    f32x4.add(signed, f32x4.splat(4.371138828673793e-8)),
  );
  return v128.bitselect(large, small, isLarge);
}

/** Within 2 ulp. */
export function atan(x: v128): v128 {
  const size = f32x4.abs(x);
  const one = f32x4.splat(1);
  const isLarge = f32x4.gt(size, f32x4.splat(2.414213562373095));
  const isMiddle = v128.andnot(f32x4.gt(size, f32x4.splat(0.41421356237309503)), isLarge);
  const turned = f32x4.div(f32x4.splat(-1), size);
  const middle = f32x4.div(f32x4.sub(size, one), f32x4.add(size, one));
  const r = v128.bitselect(turned, v128.bitselect(middle, size, isMiddle), isLarge);
  const quarter = v128.and(f32x4.splat(0.7853981633974483), isMiddle);
  const base = v128.bitselect(f32x4.splat(1.5707963267948966), quarter, isLarge);
  const z = f32x4.mul(r, r);
  let p = f32x4.splat(8.05374449538e-2);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-1.38776856032e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.99777106478e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-3.33329491539e-1));
  const y = f32x4.add(base, f32x4.add(f32x4.mul(f32x4.mul(p, z), r), r));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}
