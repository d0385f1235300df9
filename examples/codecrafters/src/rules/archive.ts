import { integer, listen, sql, table, text } from "athanor";
import { note } from "../journal.ts";
import { User } from "../models/user.ts";

/** What is left of deleted users. Only this rule writes it, in SQL: a table is enough, without a class. */
const archivedUsers = table("archived_users", { id: integer().primaryKey(), username: text(), email: text() });
const archive = sql.table(archivedUsers.name);

// Before the DELETE, on the flush's own connection: the archive row is committed, or rolled back, with it.
listen(User, "beforeDelete", async ({ target, connection }) => {
  note("archive", "goes to the archive");
  await connection.execute(
    sql`insert into ${archive} (id, username, email) select id, username, email from users where id = ${target.id}`,
  );
});
