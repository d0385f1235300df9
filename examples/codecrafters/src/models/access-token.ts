import { integer, model, text } from "athanor";
import { HasTimestamps } from "./has-timestamps.ts";

/** Lets a program act for its user. */
export class AccessToken extends model(
  "access_tokens",
  {
    id: integer().primaryKey(),
    userId: integer().index().references("users.id"),
    name: text(),
  },
  { mixins: [HasTimestamps] },
) {}
