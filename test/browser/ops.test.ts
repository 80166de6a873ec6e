/// <reference types="vite/client" />

// The tables of all ops, in a page: the same bytes as everywhere.

import.meta.glob(["../ops/**/*.test.ts", "!../ops/{tables,scheme,check-graph,reads,traits}.test.ts"], {
  eager: true,
});
