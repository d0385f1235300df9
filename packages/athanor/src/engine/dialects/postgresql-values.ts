import { DataError } from "../errors.ts";
import { formatTimestamp, parseTimestamp } from "../timestamp-text.ts";

/** Turns the text that PostgreSQL sends for a value into the value. */
export type TextParser = (text: string) => unknown;

const asText: TextParser = (text) => text;

/** 0001-01-01 to 9999-12-31, which PostgreSQL and formatTimestamp write alike. */
const firstPlainMillisecond = Date.parse("0001-01-01T00:00:00.000Z");
const lastPlainMillisecond = Date.parse("9999-12-31T23:59:59.999Z");

/** Writes a moment for a timestamptz column, whatever the time zone of the connection. */
export function formatTimestamptz(date: Date): string {
  const time = date.getTime();
  if (time >= firstPlainMillisecond && time <= lastPlainMillisecond) return `${formatTimestamp(date)}+00`;
  if (Number.isNaN(time)) return formatTimestamp(date);
  // There is no year 0: before 1 comes 1 BC.
  const year = date.getUTCFullYear();
  const iso = date.toISOString();
  const rest = iso.slice(iso.indexOf("-", 1), -1).replace("T", " ");
  return `${String(year < 1 ? 1 - year : year).padStart(4, "0")}${rest}+00${year < 1 ? " BC" : ""}`;
}

function parseTimestamptz(text: string): Date {
  if (text.charCodeAt(4) === 45 && text.endsWith("+00")) return parseTimestamp(text.slice(0, -3));
  const match = /^(\d{4,6})(-\d\d-\d\d .*?)( BC)?$/.exec(text);
  if (match === null) {
    throw new DataError(
      text.endsWith("infinity")
        ? "A timestamp column holds infinity, which a Date cannot. Store null or a far date instead."
        : "PostgreSQL sent a timestamp that is not in ISO format. The setting DateStyle was probably changed: set it to ISO for this user or database.",
    );
  }
  const [, year, rest, beforeChrist] = match;
  // Parsed within a leap cycle that four digits can hold, so that 29 February stays where it is.
  const actualYear = beforeChrist === undefined ? Number(year) : 1 - Number(year);
  const cycles = Math.floor((actualYear - 2000) / 400);
  const date = parseTimestamp(`${actualYear - cycles * 400}${rest}`);
  if (cycles !== 0) date.setUTCFullYear(date.getUTCFullYear() + cycles * 400);
  return date;
}

/** Text without an offset is UTC. */
function parseTimestampWithoutZone(text: string): Date {
  return parseTimestamptz(text.endsWith(" BC") ? `${text.slice(0, -3)}+00 BC` : `${text}+00`);
}

function parseBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2 - 1);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = hexValue(text.charCodeAt(2 + 2 * index)) * 16 + hexValue(text.charCodeAt(3 + 2 * index));
  }
  return bytes;
}

/** "0" to "9" are 48 to 57, "a" to "f" are 97 to 102. */
function hexValue(character: number): number {
  return character < 58 ? character - 48 : character - 87;
}

const scalarParsers: Readonly<Record<number, TextParser>> = {
  16: (text) => text === "t",
  17: parseBytes,
  20: BigInt,
  21: Number,
  23: Number,
  25: asText,
  26: Number,
  114: (text) => JSON.parse(text) as unknown,
  700: Number,
  701: Number,
  1042: asText,
  1043: asText,
  1082: asText,
  1083: asText,
  1114: parseTimestampWithoutZone,
  1184: parseTimestamptz,
  1186: asText,
  1700: asText,
  2950: asText,
  3802: (text) => JSON.parse(text) as unknown,
};

/** The object identifier of each type's array. */
const elementTypes: Readonly<Record<number, number>> = {
  199: 114,
  1000: 16,
  1001: 17,
  1005: 21,
  1007: 23,
  1009: 25,
  1014: 1042,
  1015: 1043,
  1016: 20,
  1021: 700,
  1022: 701,
  1028: 26,
  1115: 1114,
  1182: 1082,
  1185: 1184,
  1231: 1700,
  2951: 2950,
  3807: 3802,
};

/** How to read the text of each type, by its object identifier; what is not here is text. */
export const textParsers: Readonly<Record<number, TextParser>> = {
  ...scalarParsers,
  ...Object.fromEntries(
    Object.entries(elementTypes).map(([array, element]) => [array, arrayParser(scalarParsers[element] ?? asText)]),
  ),
};

export function textParser(typeId: number): TextParser {
  return textParsers[typeId] ?? asText;
}

/** Of `{1,NULL,"a \"quoted\" word",{2}}`. */
function arrayParser(parseElement: TextParser): TextParser {
  return (text) => {
    // An array whose indexes do not begin with 1 says so in front: [0:1]={1,2}.
    let position = text.indexOf("{") + 1;
    const readArray = (): unknown[] => {
      const elements: unknown[] = [];
      while (text[position] !== "}") {
        if (text[position] === ",") position++;
        elements.push(readElement());
      }
      position++;
      return elements;
    };
    const readElement = (): unknown => {
      if (text[position] === "{") {
        position++;
        return readArray();
      }
      if (text[position] === '"') return parseElement(readQuoted());
      const start = position;
      while (text[position] !== "," && text[position] !== "}") position++;
      const element = text.slice(start, position);
      return element === "NULL" ? null : parseElement(element);
    };
    const readQuoted = (): string => {
      let element = "";
      for (position++; text[position] !== '"'; position++) {
        if (text[position] === "\\") position++;
        element += text[position];
      }
      position++;
      return element;
    };
    return readArray();
  };
}
