import { inspect, listen, sql } from "athanor";
import { note } from "../journal.ts";
import { User } from "../models/user.ts";

// After the UPDATE the history still tells what it changed. What is executed on the event's connection is part of the same transaction: either the user is
// suspended and the tokens are gone, or neither.
listen(User, "afterUpdate", async ({ target, connection }) => {
  const { history } = inspect(target).attributes.status;
  if (!history.hasChanges()) return;
  note("suspension", `status from ${history.deleted.join()} to ${history.added.join()}`);
  if (target.status !== "suspended") return;
  await connection.execute(sql`delete from access_tokens where user_id = ${target.id}`);
});
