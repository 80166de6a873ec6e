// Sum, difference, product and quotient of two values, for the kernels of all elements and for those of floats alone.

import { Pair } from "./pairs";
import { quotient } from "./quotient";

@unmanaged
export class Add extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.add(a, b);
  }
}

@unmanaged
export class Sub extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.sub(a, b);
  }
}

@unmanaged
export class Mul extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.mul(a, b);
  }
}

@unmanaged
export class Div extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.div(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return quotient(a, b);
  }
}
