/**
 * Text that a terminal shows and does not obey: control characters, line breaks among them, and what turns the direction of writing
 * become escapes such as \u001b.
 */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
