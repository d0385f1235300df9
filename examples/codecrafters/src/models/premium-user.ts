import { enumeration, inherit, integer } from "athanor";
import { User } from "./user.ts";

/** A user who pays: a row of users, and one of premium_users with the same key. */
export class PremiumUser extends inherit(
  User,
  { identity: "premium_user", table: "premium_users" },
  {
    id: integer().primaryKey().references("users.id"),
    plan: enumeration("team", "enterprise"),
  },
) {}
