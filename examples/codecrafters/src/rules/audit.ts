import { inspect, listen, type Model, type SessionMaker } from "athanor";
import { note } from "../journal.ts";
import { AuditEntry } from "../models/audit-entry.ts";
import { Profile } from "../models/profile.ts";
import { User } from "../models/user.ts";
import { nameOf } from "../name-of.ts";

const audited = [User, Profile];
/** Secrets and bookkeeping: that they changed is no news. */
const leftOut = new Set(["passwordHash", "createdAt", "updatedAt"]);

/** Adds an audit entry for every insert, update and delete. beforeFlush is the place for it: what it adds is part of the same flush. */
export function auditChanges(SessionLocal: SessionMaker): void {
  listen(SessionLocal, "beforeFlush", ({ session }) => {
    const record = (
      instance: Model,
      operation: AuditEntry["operation"],
      changes: AuditEntry["changes"] = null,
    ): void => {
      if (!audited.some((model) => instance instanceof model)) return;
      session.add(new AuditEntry({ operation, subject: nameOf(instance), changes, recordedAt: new Date() }));
      note("audit", `${operation} of ${nameOf(instance)}`);
    };
    for (const instance of session.new) record(instance, "insert");
    for (const instance of session.dirty) {
      if (session.isModified(instance)) record(instance, "update", changesOf(instance));
    }
    for (const instance of session.deleted) record(instance, "delete");
  });
}

function changesOf(instance: Model): Record<string, unknown> {
  const changed = Object.values(inspect(instance).attributes).filter(
    ({ key, history }) => history.hasChanges() && !leftOut.has(key),
  );
  return Object.fromEntries(changed.map(({ key, history }) => [key, history.added[0] ?? null]));
}
