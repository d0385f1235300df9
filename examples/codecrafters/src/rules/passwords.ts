import { listen } from "athanor";
import { hashPassword } from "../argon2id.ts";
import { note } from "../journal.ts";
import { User } from "../models/user.ts";

// Whoever is inserted with a password gets its hash, and the plain text is gone before any SQL is built. Listeners of a class reach its subclasses, so there
// is no way to forget PremiumUser.
listen(User, "beforeInsert", async ({ target }) => {
  if (target.password === undefined) return;
  target.passwordHash = await hashPassword(target.password);
  target.password = undefined;
  note("passwords", "hashed with argon2id, and the plain text is gone");
});
