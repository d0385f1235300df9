import { unbroken } from "./wrap.ts";

const shownColumns = 2;
const longestValue = 44;
const shownOfHash = 12;

/** Shortens a statement for readers: no quotation marks, the first columns of a SELECT, and of a CREATE TABLE the name. */
export function formatStatement(statement: string): string {
  return statement
    .replaceAll('"', "")
    .replace(/^select (.*?) from /s, (_, columns: string) => `select ${firstOf(columns.split(", "))} from `)
    .replace(/^(create table [^(]*)\(.*$/s, (_, head: string) => `${head}(…)`)
    .replace(/\([?$\d, ]+\)/g, unbroken);
}

function firstOf(columns: readonly string[]): string {
  if (columns.length <= shownColumns) return columns.join(", ");
  return [...columns.slice(0, shownColumns), "…"].join(", ");
}

/** Lists the values of a statement's placeholders, of each set where the statement runs for several. A hash is never shown in full. */
export function formatValues(parameters: readonly unknown[]): string {
  const sets = parameters.every(Array.isArray) ? parameters : [parameters];
  return sets.map((values: readonly unknown[]) => values.map(formatValue).join(", ")).join(" and ");
}

function formatValue(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "string") return String(value);
  const shown = value.startsWith("$argon2id$") ? shownOfHash : longestValue;
  return unbroken(value.length > shown ? `'${value.slice(0, shown)}…'` : `'${value}'`);
}
