// Tokens that a tokenizer puts around a text, such as the beginning of a sequence: ids before and after it.

import {
  idAt,
  type JsonObject,
  listAt,
  malformed,
  objectAt,
  type TokenizerPart,
  textAt,
  tokenizerParts,
  unknownPart,
} from "./json";

/** Ids before and after a text. */
export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Of the part `post_processor` of tokenizer.json, for one text. */
export function readSurroundings(at: string, json: JsonObject): Surroundings {
  let before: readonly number[] = [];
  let after: readonly number[] = [];
  for (const part of tokenizerParts(`${at}.post_processor`, json.post_processor, "processors")) {
    const own = surroundingsOf(part);
    before = [...own.before, ...before];
    after = [...after, ...own.after];
  }
  return { before, after };
}

function surroundingsOf({ at, json }: TokenizerPart): Surroundings {
  switch (json.type) {
    case "ByteLevel":
      return { before: [], after: [] };
    case "BertProcessing":
    case "RobertaProcessing": {
      const idOf = (key: string) => idAt(`${at}.${key}[1]`, listAt(`${at}.${key}`, json[key])[1]);
      return { before: [idOf("cls")], after: [idOf("sep")] };
    }
    case "TemplateProcessing":
      return templateOf({ at, json });
    default:
      throw unknownPart(
        `${at}.type`,
        json.type,
        "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel",
      );
  }
}

function templateOf({ at, json }: TokenizerPart): Surroundings {
  const special = objectAt(`${at}.special_tokens`, json.special_tokens ?? {});
  const sides: number[][] = [[], []];
  let side = 0;
  listAt(`${at}.single`, json.single).forEach((item, i) => {
    const here = `${at}.single[${i}]`;
    const { Sequence: sequence, SpecialToken: token } = objectAt(here, item);
    if (sequence !== undefined) {
      side++;
      return;
    }
    const name = textAt(`${here}.SpecialToken.id`, objectAt(`${here}.SpecialToken`, token).id);
    const entry = objectAt(
      `${at}.special_tokens.${name}`,
      Object.hasOwn(special, name) ? special[name] : undefined,
    );
    const ids = listAt(`${at}.special_tokens.${name}.ids`, entry.ids);
    sides[Math.min(side, 1)]!.push(...ids.map((id) => idAt(`${at}.special_tokens.${name}.ids`, id)));
  });
  if (side !== 1) throw malformed(`${at}.single`, "the text once", side === 0 ? "never" : `${side} times`);
  return { before: sides[0]!, after: sides[1]! };
}
