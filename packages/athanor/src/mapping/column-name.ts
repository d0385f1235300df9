import type { Column } from "./column.ts";

/** `passwordHash` → `password_hash`, unless the column was named. */
export function columnName(key: string, column: Column<unknown, any>): string {
  return (
    column.options.name ??
    key.replace(/(?<=[a-z0-9])[A-Z]|(?<!^)[A-Z](?=[a-z])/g, (letter) => `_${letter}`).toLowerCase()
  );
}
