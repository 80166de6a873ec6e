// The most tokens of a text that a caller asks for.

import { OctetteError } from "../errors";
import type { LanguageFacts } from "../formats/language-source";

/** Throws OctetteError "argument" where it is not a whole number, "limit" where the model was made for fewer. */
export function checkMaxTokens(
  maxTokens: number | undefined,
  { maxPositions }: LanguageFacts,
  where: string,
  hint?: string,
): void {
  if (maxTokens === undefined) return;
  checkWhole(`${where}, maxTokens`, maxTokens);
  if (maxTokens <= maxPositions) return;
  throw new OctetteError("the model was made for fewer tokens", {
    code: "limit",
    where: `${where}, maxTokens`,
    expected: `at most ${maxPositions}`,
    got: `${maxTokens}`,
    ...(hint !== undefined && { hint }),
  });
}

/** Throws OctetteError "argument" where an option is not a whole number from 1. */
export function checkWhole(where: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw new OctetteError("option does not fit", {
    code: "argument",
    where,
    expected: "a whole number from 1",
    got: `${value}`,
  });
}
