import { enumeration, integer, model, text, timestamp, transient } from "athanor";
import { HasTimestamps } from "./has-timestamps.ts";

/** Somebody who has an account. */
export class User extends model(
  "users",
  {
    id: integer().primaryKey(),
    kind: enumeration("user", "premium_user"),
    username: text().unique().index(),
    email: text().unique().index(),
    /** What a new user signs up with, in plain text: rules/passwords.ts makes passwordHash of it, and it is never stored. */
    password: transient<string>(),
    passwordHash: text(),
    status: enumeration("active", "suspended").default("active"),
    trialEndsAt: timestamp().nullable(),
  },
  { mixins: [HasTimestamps], polymorphicOn: "kind", identity: "user" },
) {}
