// What a cache of keys or values gets of each token: rows of floats, at places that are a ring.

/** Row (position + t) mod length of state = x[t]: rows of `bytes`. Range: tokens t. */
export function cacheRows(
  state: usize,
  x: usize,
  bytes: i32,
  position: i32,
  length: i32,
  begin: i32,
  end: i32,
): void {
  for (let t = begin; t < end; t++)
    memory.copy(state + <usize>(((position + t) % length) * bytes), x + <usize>(t * bytes), bytes);
}
