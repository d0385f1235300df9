import { enumeration, integer, json, model, text, timestamp } from "athanor";

/** One insert, update or delete, as rules/audit.ts has seen it. */
export class AuditEntry extends model("audit_entries", {
  id: integer().primaryKey(),
  operation: enumeration("insert", "update", "delete"),
  /** What was changed, by a name that outlives it. */
  subject: text(),
  /** Of an update, the new values by attribute. */
  changes: json<Readonly<Record<string, unknown>>>().nullable(),
  recordedAt: timestamp(),
}) {}
