// What the host gives a module beside its memory.

/** 128 where the engine's relaxed dot product reads its second operand as signed (s8·s8), else 0. */
export declare const signs: i32;
