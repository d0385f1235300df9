import { integer, model, text } from "athanor";
import { HasTimestamps } from "./has-timestamps.ts";

/** An address that a user had, and the one that came after it. No foreign key: it outlives the user. */
export class EmailChange extends model(
  "email_changes",
  { id: integer().primaryKey(), userId: integer().index(), oldEmail: text(), newEmail: text() },
  { mixins: [HasTimestamps] },
) {}
