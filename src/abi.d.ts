// What the AssemblyScript names in the kernels' signatures mean on this side of the call.

/** Byte offset into wasm memory. The mark lets the host tell addresses from counts in a signature. */
declare type usize = number & { readonly __address?: never };
declare type i32 = number;
declare type u32 = number;
declare type f32 = number;
declare type f64 = number;
declare type bool = boolean;
/** Never crosses the call; stands in declarations of what kernels share. */
declare type v128 = never;
