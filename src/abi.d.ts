// What the AssemblyScript names in the kernels' signatures mean on this side of the call.

/** Byte offset into wasm memory. */
declare type usize = number;
declare type i32 = number;
declare type u32 = number;
declare type f32 = number;
