// Limits of what files of language models may say.

/** Most heads, elements of a head, and layers, so that objects made for each stay few. */
export const MAX_PARTS = 2 ** 16;
