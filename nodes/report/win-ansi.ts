/** Letters beyond WinAnsi that Unicode does not take apart. */
const BARE: Readonly<Record<string, string>> = {
  ł: "l",
  Ł: "L",
  đ: "d",
  Đ: "D",
  ħ: "h",
  ı: "i",
  ŋ: "n",
  Δ: "D",
  "\u202f": "\u00a0",
  "\u2009": "\u00a0",
  "\u2212": "-",
  "\u2011": "-",
};
/** Printable characters of WinAnsi beyond Latin-1. */
const BEYOND = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";

const isWinAnsi = (character: string): boolean =>
  /^[\x20-\x7e\u00a0-\u00ff]$/.test(character) || BEYOND.includes(character);

/**
 * A text in the characters of the fonts every PDF reader has (WinAnsi): what they lack loses its accents, or becomes `?`.
 */
export function winAnsi(text: string): string {
  return [...text.normalize("NFC")]
    .map((character) => {
      if (isWinAnsi(character)) return character;
      const bare = BARE[character] ?? character.normalize("NFD").charAt(0);
      return isWinAnsi(bare) ? bare : "?";
    })
    .join("");
}
