import { listen, type SessionMaker } from "athanor";
import { note } from "../journal.ts";
import { nameOf } from "../name-of.ts";
import { HasTimestamps } from "../models/has-timestamps.ts";

/** Keeps createdAt and updatedAt of every model that has the mixin, today's and tomorrow's. An update that changes nothing does not count. */
export function keepTimestamps(SessionLocal: SessionMaker): void {
  listen(SessionLocal, "beforeFlush", ({ session }) => {
    const now = new Date();
    for (const instance of session.new) {
      if (!(instance instanceof HasTimestamps)) continue;
      instance.createdAt = now;
      instance.updatedAt = now;
      note("timestamps", `createdAt and updatedAt of ${nameOf(instance)}`);
    }
    for (const instance of session.dirty) {
      if (!(instance instanceof HasTimestamps) || !session.isModified(instance)) continue;
      instance.updatedAt = now;
      note("timestamps", `updatedAt of ${nameOf(instance)}`);
    }
  });
}
