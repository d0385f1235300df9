import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { assert, expect, test } from "vitest";
import { firstDifference } from "./compare.ts";
import { normalize } from "./normal-form.ts";
import { type EventRecord, type Json, readPrograms, type StepRecord } from "./program.ts";

const programs = readPrograms([fileURLToPath(new URL("programs", import.meta.url))]);

test("what SQLAlchemy recorded is in normal form, and the same as itself", { timeout: 60_000 }, () => {
  for (const { trace } of programs) {
    expect(JSON.stringify(trace.map(normalize))).toBe(JSON.stringify(trace));
    expect(firstDifference(trace, structuredClone(trace))).toBeUndefined();
  }
});

test("a record that was tampered with is found, whatever was done to it", () => {
  expectFound("event missing", (record, at) => {
    const [index] = pick(record.events, at);
    return index === undefined ? undefined : { ...record, events: record.events.toSpliced(index, 1) };
  });
  expectFound("event twice", (record, at) => {
    const [index, event] = pick(record.events, at);
    return index === undefined ? undefined : { ...record, events: record.events.toSpliced(index, 0, event) };
  });
  expectFound("other value in an event", (record, at) => {
    const [index, event] = pick(record.events, at);
    if (index === undefined || event.length < 2) return undefined;
    const [name, ...fields] = event;
    const changed: EventRecord = [name, ...withOther(fields, at)];
    return { ...record, events: record.events.with(index, changed) };
  });
  expectFound("neighbouring events swapped", swapNeighbours);
  expectFound("other state", (record, at) => {
    const [label, state] = pickMember(record.state, at);
    return label === undefined ? undefined : { ...record, state: { ...record.state, [label]: other(state, at) } };
  });
  expectFound("state missing", (record, at) => {
    const [label] = pickMember(record.state, at);
    return label === undefined ? undefined : { ...record, state: without(record.state, label) };
  });
  expectFound("other row in the database", (record, at) => {
    const [table, rows] = pickMember(record.db ?? {}, at);
    return table === undefined ? undefined : { ...record, db: { ...record.db, [table]: other(rows, at) } };
  });
  expectFound("table missing", (record, at) => {
    const [table] = pickMember(record.db ?? {}, at);
    return table === undefined ? undefined : { ...record, db: without(record.db ?? {}, table) };
  });
  expectFound("an error too many", (record) =>
    record.error === undefined ? { ...record, error: "Error" } : undefined,
  );
  expectFound("another error", (record) => (record.error === undefined ? undefined : { ...record, error: "Error" }));
  expectFound("no error", (record) => (record.error === undefined ? undefined : without(record, "error")));
  expectFound("another result", (record, at) => {
    const { result } = record;
    return result === undefined ? { ...record, result: at } : { ...record, result: other(result, at) };
  });
  for (const name of ["new", "dirty", "deleted"] as const)
    expectFound(`another set of ${name}`, (record) => ({ ...record, [name]: [...(record[name] ?? []), "@x"] }));
});

test("a record that is missing is found", () => {
  for (const { trace } of programs) {
    expect(firstDifference(trace, trace.slice(0, -1))?.index).toBe(trace.length - 1);
    expect(firstDifference(trace.slice(0, -1), trace)?.index).toBe(trace.length - 1);
  }
});

test("the order of events is free where SQLAlchemy iterates sets, and nowhere else", () => {
  expectSame(
    [
      ["expire", "@b", null],
      ["refresh", "@a", ["id"]],
    ],
    [
      ["refresh", "@a", ["id"]],
      ["expire", "@b", null],
    ],
  );
  expectSame([...flushed, ["set", "@b", "user_id", 1, null, "user_id:replace"]], flushed);
  expectSame(
    [["before_flush", [], [], []], row("User"), row("Address"), ["after_flush", [], [], []]],
    [["before_flush", [], [], []], row("Address"), row("User"), ["after_flush", [], [], []]],
  );
  expectDifferent([row("User"), row("Address")], [row("Address"), row("User")]);
  expectDifferent([...flushed, row("Employee"), row("Manager")], [...flushed, row("Manager"), row("Employee")]);
  expectDifferent(
    [
      ["load", "@a"],
      ["load", "@b"],
    ],
    [
      ["load", "@b"],
      ["load", "@a"],
    ],
  );
  expectDifferent([["set", "@b", "user_id", 1, null, "user_id:replace"]], []);
});

const flushed: EventRecord[] = [["before_flush", [], [], []]];

function row(className: string): EventRecord {
  return ["before_update", `@${className}`, className];
}

function recordOf(events: readonly EventRecord[]): StepRecord[] {
  return [{ step: ["flush"], events, state: {} }];
}

function expectSame(left: readonly EventRecord[], right: readonly EventRecord[]): void {
  expect(firstDifference(recordOf(left), recordOf(right))).toBeUndefined();
}

function expectDifferent(left: readonly EventRecord[], right: readonly EventRecord[]): void {
  expect(firstDifference(recordOf(left), recordOf(right))?.index).toBe(0);
}

/** How often each way of tampering is tried. */
const numRuns = 300;

/** Tampers with random records of random programs. What cannot be done to a record is answered with undefined. */
function expectFound(what: string, tamper: (record: StepRecord, at: number) => StepRecord | undefined): void {
  const positions = fc.record({ program: fc.nat(), record: fc.nat(), at: fc.nat(1000) });
  fc.assert(
    fc.property(positions, ({ program, record, at }) => {
      const { trace } = programs[program % programs.length] as (typeof programs)[number];
      const index = record % trace.length;
      const tampered = tamper(trace[index] as StepRecord, at);
      fc.pre(tampered !== undefined);
      assert.equal(firstDifference(trace, trace.with(index, tampered))?.index, index, what);
    }),
    { numRuns, maxSkipsPerRun: 1000 },
  );
}

function swapNeighbours(record: StepRecord, at: number): StepRecord | undefined {
  const { events } = record;
  const index = at % Math.max(events.length - 1, 1);
  const [former, latter] = [events[index], events[index + 1]];
  if (former === undefined || latter === undefined) return undefined;
  if (JSON.stringify(former) === JSON.stringify(latter)) return undefined;
  if (isOrderFree(former, latter, isFlushing(events, index))) return undefined;
  return { ...record, events: events.with(index, latter).with(index + 1, former) };
}

/** Whether the records up to that one, and not those that follow it, leave a flush under way. */
function isFlushing(events: readonly EventRecord[], index: number): boolean {
  const boundary = events
    .slice(0, index + 1)
    .findLast(([name]) => /^(before_flush|after_flush|after_rollback)$/.test(name));
  return boundary?.[0] === "before_flush";
}

/** Said once more in words of its own: which neighbours may change places without anybody noticing. */
function isOrderFree(former: EventRecord, latter: EventRecord, isFlushing: boolean): boolean {
  const names = [former[0], latter[0]];
  if (names.every((name) => /^(expire|refresh)$/.test(name))) return former[1] !== latter[1];
  if (names.every((name) => /^(pending|persistent)_to_transient$|^deleted_to_detached$/.test(name)))
    return former[1] !== latter[1];
  if (names[0] === names[1] && /_to_(persistent|deleted|detached)$/.test(former[0])) return former[1] !== latter[1];
  if (!isFlushing || names.some((name) => /^(before_flush|after_flush|after_rollback)$/.test(name))) return false;
  const parts = names.map((name) =>
    /^(do_orm_execute|load|loaded_as_persistent|refresh)$/.test(name)
      ? "loads"
      : /^(before|after)_(insert|update|delete)$/.test(name)
        ? "rows"
        : "rest",
  );
  if (parts[0] !== parts[1]) return true;
  if (parts[0] === "rows") return former[2] !== latter[2];
  // Two statements may change places with what they loaded, not with what the other one did.
  return names.every((name) => name === "do_orm_execute");
}

function pick(events: readonly EventRecord[], at: number): [index: number, event: EventRecord] | [undefined] {
  const index = at % events.length;
  const event = events[index];
  return event === undefined ? [undefined] : [index, event];
}

function pickMember(members: { readonly [key: string]: Json }, at: number): [key: string, value: Json] | [undefined] {
  const entries = Object.entries(members);
  return entries[at % entries.length] ?? [undefined];
}

/** The same with one value in it changed: any, at any depth. */
function other(value: Json, at: number): Json {
  if (Array.isArray(value) && value.length > 0) return withOther(value, at);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value === "@x" ? "@y" : "@x";
  const members = value as { readonly [key: string]: Json };
  const [key, member] = pickMember(members, at);
  return key === undefined ? { x: 1 } : { ...members, [key]: other(member, at) };
}

function withOther(values: readonly Json[], at: number): Json[] {
  const index = at % values.length;
  return values.with(index, other(values[index] as Json, at >> 3));
}

function without<T extends object>(members: T, key: string): T {
  return Object.fromEntries(Object.entries(members).filter(([name]) => name !== key)) as T;
}
