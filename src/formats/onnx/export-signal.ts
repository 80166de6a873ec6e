// The way back of operators over signals.

import { as } from "./ways";

const scalar = { isScalar: true } as const;

export const dFT = as({ opset: 20, forms: { 1: scalar, 2: scalar } });
export const sTFT = as({ opset: 17, forms: { 1: scalar, 3: scalar } });
