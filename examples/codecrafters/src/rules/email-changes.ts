import { attributes, inspect, listen, NO_VALUE, objectSession } from "athanor";
import { note } from "../journal.ts";
import { EmailChange } from "../models/email-change.ts";
import { User } from "../models/user.ts";

// Whoever changes an address, wherever in the program: the old and the new one are kept, in the same transaction as the change itself. The first address of a
// new user is no change; and a change whose old address is unknown here is refused, so that none is missed.
listen(attributes(User).email, "set", ({ target, value, oldValue }) => {
  const { transient, pending } = inspect(target);
  if (transient || pending || oldValue === value) return;
  const session = objectSession(target);
  if (session === null || oldValue === NO_VALUE) {
    throw new Error("The address of a user can only be changed in a session that has loaded it.");
  }
  session.add(new EmailChange({ userId: target.id, oldEmail: oldValue, newEmail: value }));
  note("email-changes", `from ${oldValue} to ${value}`);
});
