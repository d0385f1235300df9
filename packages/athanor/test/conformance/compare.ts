import { normalize } from "./normal-form.ts";
import type { EventRecord, Json, StepRecord } from "./program.ts";

/** Where two traces first differ: both records, in normal form. A side that has fewer records has none. */
export interface Difference {
  readonly index: number;
  readonly expected: StepRecord | undefined;
  readonly actual: StepRecord | undefined;
}

const fields = ["step", "result", "error", "events", "state", "new", "dirty", "deleted", "db"] as const;

type Field = (typeof fields)[number];

/** The first record that differs, or undefined where the traces say the same. */
export function firstDifference(
  expected: readonly StepRecord[],
  actual: readonly StepRecord[],
): Difference | undefined {
  for (let index = 0; index < Math.max(expected.length, actual.length); index++) {
    const [left, right] = [expected[index], actual[index]].map((record) => record && normalize(record));
    if (left === undefined || right === undefined || differingFields(left, right).length > 0)
      return { index, expected: left, actual: right };
  }
  return undefined;
}

/** Tells a difference to people: lines with - are what SQLAlchemy did, lines with + what Athanor did. */
export function describeDifference({ index, expected, actual }: Difference): string {
  const step = `  record ${index + 1}: ${JSON.stringify((expected ?? actual)?.step)}`;
  if (expected === undefined) return `${step}\n    + one more record than expected`;
  if (actual === undefined) return `${step}\n    - the record is missing`;
  const lines = differingFields(expected, actual).flatMap((field) => [
    `    ${field}`,
    ...describeField(field, expected, actual).map((line) => `      ${line}`),
  ]);
  return [step, ...lines].join("\n");
}

/** What kind of difference it is, in a few words: what to group many of them by. */
export function summarizeDifference({ expected, actual }: Difference): string {
  const step = String((expected ?? actual)?.step[0]);
  if (expected === undefined || actual === undefined) return `${step}: another number of records`;
  if (actual.error !== undefined && actual.error !== expected.error)
    return `${step}: ${actual.error} instead of ${expected.error ?? "success"}`;
  if (expected.error !== actual.error) return `${step}: ${actual.error ?? "success"} instead of ${expected.error}`;
  const [field] = differingFields(expected, actual);
  if (field === "events") {
    const at = expected.events.findIndex((event, index) => !isSame(event, actual.events[index]));
    const position = at === -1 ? expected.events.length : at;
    return `${step}: ${summarizeEvents(expected.events[position], actual.events[position])}`;
  }
  if (field === "state") return `${step}: state ${summarizeStates(expected.state, actual.state)}`;
  return `${step}: ${field}`;
}

function summarizeEvents(expected: EventRecord | undefined, actual: EventRecord | undefined): string {
  if (expected?.[0] === actual?.[0])
    return `fields of ${expected?.[0]}${typeof expected?.[2] === "string" ? ` ${expected[2]}` : ""}`;
  return `event ${actual?.[0] ?? "nothing"} instead of ${expected?.[0] ?? "nothing"}`;
}

function summarizeStates(expected: StepRecord["state"], actual: StepRecord["state"]): string {
  const label = Object.keys({ ...expected, ...actual }).find((key) => !isSame(expected[key], actual[key])) ?? "";
  const [left, right] = [expected[label], actual[label]];
  if (left === undefined || right === undefined) return left === undefined ? "unexpected" : "missing";
  const [[leftName, leftValues], [rightName, rightValues]] = [left, right] as [Json[], Json[]];
  if (leftName !== rightName) return `${String(rightName)} instead of ${String(leftName)}`;
  const [had, has] = [leftValues, rightValues] as Record<string, Json>[];
  const key = Object.keys({ ...had, ...has }).find((name) => !isSame(had?.[name], has?.[name])) ?? "";
  return has?.[key] === undefined ? `without ${key}` : had?.[key] === undefined ? `with ${key}` : `value of ${key}`;
}

function differingFields(expected: StepRecord, actual: StepRecord): Field[] {
  return fields.filter((field) => !isSame(expected[field], actual[field]));
}

function describeField(field: Field, expected: StepRecord, actual: StepRecord): string[] {
  const [left, right] = [expected[field], actual[field]];
  if (field === "events") return describeLists(expected.events, actual.events);
  if (field === "state") return describeObjects(expected.state, actual.state);
  if (field === "db") return describeObjects(expected.db ?? {}, actual.db ?? {});
  return [...shown("-", left), ...shown("+", right)];
}

/** Member by member: only those that differ. */
function describeObjects(left: object, right: object): string[] {
  const [had, has] = [left, right] as Record<string, Json | undefined>[];
  return Object.keys({ ...had, ...has })
    .filter((key) => !isSame(had?.[key], has?.[key]))
    .flatMap((key) => [...shown(`- ${key}`, had?.[key]), ...shown(`+ ${key}`, has?.[key])]);
}

function shown(prefix: string, value: unknown): string[] {
  return value === undefined ? [] : [`${prefix} ${JSON.stringify(value)}`];
}

/** Both lists in one, by their longest common subsequence. */
function describeLists(left: readonly Json[], right: readonly Json[]): string[] {
  const common = commonLengths(left, right);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && isSame(left[i], right[j])) {
      lines.push(...shown(" ", left[i]));
      i++;
      j++;
    } else if (j >= right.length || (i < left.length && (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))) {
      lines.push(...shown("-", left[i++]));
    } else lines.push(...shown("+", right[j++]));
  }
  return lines;
}

function commonLengths(left: readonly Json[], right: readonly Json[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () => Array.from({ length: right.length + 1 }, () => 0));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const [below, beside] = [lengths[i + 1] as number[], lengths[i] as number[]];
      beside[j] = isSame(left[i], right[j])
        ? (below[j + 1] as number) + 1
        : Math.max(below[j] as number, beside[j + 1] as number);
    }
  }
  return lengths;
}

/** Whether two JSON values are the same; the order of an object's members means nothing. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => isSame(item, right[index]))
    );
  }
  const [had, has] = [left, right] as Record<string, unknown>[];
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(had?.[key], has?.[key]))
  );
}
