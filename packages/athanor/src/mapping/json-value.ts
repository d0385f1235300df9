/** Deeper than any data; what is nested without end contains itself. */
const MAX_DEPTH = 500;

/**
 * Whether JSON gives a value back as it is, but for members that are undefined and what objects make of themselves in `toJSON`.
 *
 * JSON.stringify would fail without saying where for some of what is refused here, and silently store something else for the rest.
 */
export function isJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      return value === null || isJsonObject(value, depth);
    case "bigint":
      return hasToJson(value);
    default:
      return false;
  }
}

function isJsonObject(value: object, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const element: unknown = value[index];
      if (typeof element !== "string" && !isJson(element, depth + 1)) return false;
    }
    return true;
  }
  if (hasToJson(value)) return isJson(value.toJSON(), depth + 1);
  if (value instanceof Map || value instanceof Set) return false;
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member === "string" || member === undefined) continue;
    if (!isJson(member, depth + 1) && Object.hasOwn(value, key)) return false;
  }
  return true;
}

function hasToJson(value: object | bigint): value is { toJSON(): unknown } {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === "function";
}

/** The part of a value that JSON cannot hold, and the way to it: `.limits[0]`. */
export function findNonJson(value: unknown): { readonly path: string; readonly part: unknown } {
  let path = "";
  let part = value;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const isArray = Array.isArray(part);
    const members = typeof part === "object" && part !== null ? Object.entries(part) : [];
    const found = members.find(([, member]) => (isArray || member !== undefined) && !isJson(member));
    if (found === undefined) return { path, part };
    path += isArray ? `[${found[0]}]` : `.${found[0]}`;
    part = found[1];
  }
  // It contains itself, somewhere.
  return { path: "", part: value };
}

/** Whether two values are the same to JSON. What JSON cannot hold is the same as nothing else. */
export function isSameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  try {
    return JSON.stringify(left) === JSON.stringify(right);
  } catch {
    return false;
  }
}
