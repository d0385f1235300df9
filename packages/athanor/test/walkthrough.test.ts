import { expect, test } from "vitest";
import { attributes, createAll, integer, listen, Metadata, model, sessionmaker, text } from "../src/index.ts";
import { forEachDatabase } from "./databases.ts";

const metadata = new Metadata();

class User extends model("users", { id: integer().primaryKey(), email: text() }, { metadata }) {}

forEachDatabase((db) => {
  test("a value on its way: loaded, changed, flushed, committed", async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const SessionLocal = sessionmaker(engine);
    await SessionLocal.begin((session) => session.add(new User({ email: "ann@old" })));

    const story: string[] = [];
    const place = attributes(User).email;
    listen(engine, "begin", () => story.push("BEGIN"));
    listen(engine, "beforeCursorExecute", ({ statement }) => story.push(statement.replaceAll(/\$\d+/g, "?")));
    listen(engine, "commit", () => story.push("COMMIT"));
    listen(place, "set", ({ oldValue, value }) => story.push(`set: ${String(oldValue)} becomes ${value}`));
    listen(SessionLocal, "beforeCommit", () => story.push("beforeCommit"));
    listen(SessionLocal, "beforeFlush", ({ session }) => story.push(`beforeFlush: ${session.dirty.size} dirty`));
    listen(User, "beforeUpdate", ({ target }) => story.push(`beforeUpdate: ${target.email}`));
    listen(User, "afterUpdate", ({ target }) => story.push(`afterUpdate: ${target.email}`));
    listen(SessionLocal, "afterFlush", ({ session }) => story.push(`afterFlush: ${session.dirty.size} dirty`));
    listen(SessionLocal, "afterFlushPostexec", ({ session }) =>
      story.push(`afterFlushPostexec: ${session.dirty.size} dirty`),
    );
    listen(SessionLocal, "afterCommit", ({ changes }) => story.push(`afterCommit: ${changes.length} changed`));

    await using session = SessionLocal();
    const user = await session.get(User, 1);
    if (user !== null) user.email = "ann@new";
    await session.commit();

    expect(story).toEqual([
      // The session needs the database for the first time, so it takes a connection and begins a transaction.
      "BEGIN",
      // It has no User with the key 1 yet: the row is loaded and becomes an instance.
      'select "users"."id", "users"."email" from "users" where "users"."id" = ?',
      // An assignment is heard before it happens, and could be changed or refused. Nothing is written yet.
      "set: ann@old becomes ann@new",
      // commit() asks first. Throwing would leave the transaction open and usable.
      "beforeCommit",
      // There is something to write. Whatever a listener adds, changes or deletes here is part of it.
      "beforeFlush: 1 dirty",
      // The row's own last word before its statement is built.
      "beforeUpdate: ann@new",
      // Only what really differs is written.
      'update "users" set "email" = ? where "id" = ?',
      // The row is written, and the history of the instance still tells what was changed.
      "afterUpdate: ann@new",
      // Everything is written. The session still shows what the flush was about …
      "afterFlush: 1 dirty",
      // … and now what came of it: the instance is as clean as if it had just been loaded.
      "afterFlushPostexec: 0 dirty",
      "COMMIT",
      // The data is saved and the connection is back in its pool: the time for mail, queues and caches.
      "afterCommit: 1 changed",
    ]);
  });
});
