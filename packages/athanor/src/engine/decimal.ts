import { DataError } from "./errors.ts";

/** A decimal number as digits and the place of its point: 12.50 is { digits: "1250", scale: 2 }. */
interface Decimal {
  readonly negative: boolean;
  /** Without leading zeros; "" is zero. */
  readonly digits: string;
  readonly scale: number;
}

const decimalPattern = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d{1,4}))?$/i;

function parseDecimal(text: string): Decimal {
  const match = decimalPattern.exec(text.trim());
  if (match === null || `${match[2]}${match[3]}` === "") {
    throw new DataError(
      "A numeric column takes decimal numbers as strings, such as '12.50'; this string is none. Write it with a point and without separators.",
    );
  }
  const [, sign, integer = "", fraction = "", exponent = "0"] = match;
  const digits = integer + fraction;
  const scale = fraction.length - Number(exponent);
  return {
    negative: sign === "-",
    // A negative scale is written out, so that digits and scale can be read off.
    digits: (scale < 0 ? digits + "0".repeat(-scale) : digits).replace(/^0+/, ""),
    scale: Math.max(scale, 0),
  };
}

/** Halves go away from zero, as in databases. */
function round(decimal: Decimal, scale: number): Decimal {
  if (decimal.scale <= scale) return decimal;
  const cut = decimal.scale - scale;
  const padded = decimal.digits.padStart(cut + 1, "0");
  const kept = BigInt(padded.slice(0, -cut));
  const rounded = padded.charCodeAt(padded.length - cut) >= 53 ? kept + 1n : kept;
  return { negative: decimal.negative, digits: rounded === 0n ? "" : String(rounded), scale };
}

function toText({ negative, digits, scale }: Decimal): string {
  if (digits === "") return scale === 0 ? "0" : `0.${"0".repeat(scale)}`;
  const padded = digits.padStart(scale + 1, "0");
  const text = scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
  return negative ? `-${text}` : text;
}

/**
 * Turns decimal text into a number that holds it exactly enough to be read back, rounded to the column's scale.
 *
 * Throws DataError for more digits than the column takes, and for more than the 15 that a double-precision number keeps.
 */
export function decimalToNumber(text: string, precision: number | undefined, scale: number | undefined): number {
  const parsed = parseDecimal(text);
  const decimal = scale === undefined ? parsed : round(parsed, scale);
  if (precision !== undefined && decimal.digits.length - decimal.scale > precision - (scale ?? 0)) {
    throw new DataError(
      `A number does not fit a column of type numeric(${precision}, ${scale ?? 0}): it has more than ${precision - (scale ?? 0)} digits before the point. ` +
        `Give the column a larger precision.`,
    );
  }
  const significant = decimal.scale === 0 ? decimal.digits : decimal.digits.replace(/0+$/, "");
  if (significant.replace(/0+$/, "").length > 15) {
    throw new DataError(
      "A number has more than 15 significant digits, and SQLite stores decimal numbers as doubles, which keep 15: the rest would be lost without a word. " +
        "Store it in a text() column, as a bigint() of its smallest unit, or use a database with exact decimals.",
    );
  }
  return Number(toText(decimal));
}

/** The double-precision number that is nearest to a decimal one, which is all that another one can be compared with. Throws DataError for what is no decimal number. */
export function decimalToNearest(text: string): number {
  return Number(toText(parseDecimal(text)));
}

/** Writes a number that came from a numeric column as decimal text, with as many digits behind the point as the column declares. */
export function numberToDecimal(value: number | bigint | string, scale: number | undefined): string {
  const decimal = parseDecimal(String(value));
  if (scale === undefined) return toText(decimal);
  const rounded = round(decimal, scale);
  return toText({
    negative: rounded.negative && rounded.digits !== "",
    digits: rounded.digits === "" ? "" : rounded.digits + "0".repeat(scale - rounded.scale),
    scale,
  });
}
