import { ArgumentError } from "../event/errors.ts";
import { base64 } from "../instance/instance.ts";
import { isJson } from "../mapping/json-value.ts";

/** A value as JSON can hold it: what it cannot, and every object, is an object that says what it stands for. */
export function writeValue(value: unknown, label: string): unknown {
  const written = tryWrite(value);
  if (written !== undefined) return written;
  throw new ArgumentError(
    `${label} cannot be serialized: it holds ${describeValue(value)}, and only what JSON can hold, bigints, dates and bytes can be written. ` +
      `A customType() says with toDatabase and fromDatabase how its values are written.`,
  );
}

function tryWrite(value: unknown): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Object.is(value, -0)) return { number: "-0" };
    return Number.isFinite(value) ? value : { number: String(value) };
  }
  if (typeof value === "bigint") return { bigint: String(value) };
  if (typeof value !== "object") return undefined;
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof Uint8Array) return { bytes: base64(value) };
  return isPlain(value) && isJson(value) ? { json: value } : undefined;
}

/** Whether JSON gives the object back, and not something else that it makes of itself. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function describeValue(value: unknown): string {
  return typeof value === "object" ? `an object of ${value?.constructor?.name ?? "no class"}` : `a ${typeof value}`;
}

/** The value that was written. */
export function readValue(written: unknown): unknown {
  if (typeof written !== "object" || written === null) return written;
  const [[kind, content] = []] = Object.entries(written);
  switch (kind) {
    case "number":
      return Number(content);
    case "bigint":
      return BigInt(content as string);
    case "date":
      return new Date(content as number);
    case "bytes":
      return Uint8Array.from(atob(content as string), (character) => character.charCodeAt(0));
    default:
      return content;
  }
}
