import { integer, model, text, timestamp } from "athanor";

/** What a user tells the others. It has no HasTimestamps: its updatedAt has a rule of its own, rules/profiles.ts. */
export class Profile extends model("profiles", {
  userId: integer().primaryKey().references("users.id", { onDelete: "cascade" }),
  bio: text(),
  updatedAt: timestamp().default(() => new Date()),
}) {}
