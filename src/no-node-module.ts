// What bundlers for pages take in place of node-module.ts. They leave out calls of functions that are empty.

export function nodeModule() {}
export function nodeFile() {}
export function nodeWasm() {}
export function nodeSha256() {}
