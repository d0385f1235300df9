import { validates } from "athanor";
import { note } from "../journal.ts";
import { User } from "../models/user.ts";

// Runs before every assignment, in the constructor too: a bad name never gets into a user.
validates(User, "username", ({ value }) => {
  if (/^[a-z][a-z0-9-]{1,29}$/.test(value)) return;
  note("usernames", `${JSON.stringify(value)} is refused`);
  throw new RangeError("A username is 2 to 30 lower-case letters, digits and hyphens, and begins with a letter.");
});
