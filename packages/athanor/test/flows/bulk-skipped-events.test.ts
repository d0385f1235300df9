import { expect, test, vi } from "vitest";
import {
  ArgumentError,
  createAll,
  deleteFrom,
  inherit,
  insert,
  integer,
  InvalidRequestError,
  listen,
  Metadata,
  mixin,
  model,
  select,
  type SessionMaker,
  type SessionOptions,
  sessionmaker,
  text,
  update,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";

forEachDatabase((db) => {
  /** Classes of its own for each test, because listeners of a class stay. */
  async function open(options: SessionOptions = {}) {
    const metadata = new Metadata();
    const Audited = mixin({ changedBy: text().nullable() });
    class Person extends model(
      "people",
      { id: integer().primaryKey(), kind: text(), name: text() },
      { metadata, polymorphicOn: "kind", identity: "person" },
    ) {}
    class Manager extends inherit(Person, { identity: "manager" }, { level: integer().nullable() }) {}
    class Item extends model(
      "items",
      { id: integer().primaryKey(), name: text().nullable() },
      { metadata, mixins: [Audited] },
    ) {}
    const engine = db.engine();
    await createAll(engine, { metadata });
    const warnings: string[] = [];
    const SessionLocal: SessionMaker = sessionmaker(engine, {
      models: [Person, Manager, Item],
      onWarning: ({ message }) => warnings.push(message),
      ...options,
    });
    return { SessionLocal, warnings, Person, Manager, Item, Audited };
  }

  const ignored = (): void => {};

  test("a bulk statement warns of the listeners that it does not call, and says what to do", async () => {
    const { SessionLocal, warnings, Item } = await open();
    for (const name of ["beforeInsert", "beforeUpdate", "afterUpdate", "afterDelete"] as const)
      listen(Item, name, ignored);
    await using session = SessionLocal();
    await session.execute(insert(Item), [{ name: "a" }]);
    await session.execute(update(Item).values({ name: "b" }));
    await session.execute(deleteFrom(Item));
    expect(warnings).toEqual([
      "insert(Item) inserts rows without making instances of them, so what listens to beforeInsert of Item is not called. " +
        "Do for these rows what it does in a listener of the session's doOrmExecute, where they are event.parameters; or add instances, and flush. " +
        'Where it is not missed, give the session, or this execution, onSkippedEvents: "ignore".',
      "update(Item) updates rows without making instances of them, so what listens to beforeUpdate and afterUpdate of Item is not called. " +
        'Do for these rows what it does in a listener of the session\'s afterBulkUpdate, which gets them with the execution option rows: "before" or "after"; ' +
        "or load the instances, change them, and flush. " +
        'Where it is not missed, give the session, or this execution, onSkippedEvents: "ignore".',
      "deleteFrom(Item) deletes rows without making instances of them, so what listens to afterDelete of Item is not called. " +
        'Do for these rows what it does in a listener of the session\'s afterBulkDelete, which gets them with the execution option rows: "before"; ' +
        "or load the instances, delete each with session.delete(), and flush. " +
        'Where it is not missed, give the session, or this execution, onSkippedEvents: "ignore".',
    ]);
  });

  test("an INSERT that updates rows which are there skips the events of both", async () => {
    const { SessionLocal, warnings, Item } = await open();
    listen(Item, "beforeUpdate", ignored);
    await using session = SessionLocal();
    await session.execute(insert(Item).onConflict("id").doNothing(), [{ id: 1, name: "a" }]);
    expect(warnings).toEqual([]);
    await session.execute(insert(Item).onConflict("id").doUpdate({ name: "b" }), [{ id: 1, name: "a" }]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("beforeUpdate of Item is not called");
  });

  test("it warns once for each class and kind of statement of a session, and again in the next", async () => {
    const { SessionLocal, warnings, Item, Person } = await open();
    listen(Item, "beforeUpdate", ignored);
    listen(Item, "beforeDelete", ignored);
    listen(Person, "beforeUpdate", ignored);
    for (let round = 1; round <= 2; round++) {
      await using session = SessionLocal();
      for (let time = 0; time < 3; time++) {
        await session.execute(update(Item).values({ name: "b" }));
        await session.execute(update(Person).values({ name: "b" }));
        await session.execute(deleteFrom(Item));
      }
      expect(warnings).toHaveLength(3 * round);
    }
  });

  test("it says nothing where nobody listens, or only to events of another kind of statement", async () => {
    const { SessionLocal, warnings, Item } = await open();
    listen(Item, "beforeInsert", ignored);
    listen(Item, "afterDelete", ignored);
    listen(Item, "load", ignored);
    const listener = listen(Item, "beforeUpdate", ignored);
    listener.remove();
    await using session = SessionLocal();
    await session.execute(update(Item).values({ name: "b" }));
    await session.execute(select(Item));
    expect(warnings).toEqual([]);
  });

  test("listeners of a parent class and of a mixin count, but for those that are not passed on", async () => {
    const { SessionLocal, warnings, Person, Manager, Item, Audited } = await open();
    listen(Audited, "beforeUpdate", ignored);
    listen(Person, "beforeUpdate", ignored);
    listen(Person, "afterUpdate", ignored, { propagate: false });
    await using session = SessionLocal();
    await session.execute(update(Item).values({ name: "b" }));
    await session.execute(update(Manager).values({ name: "b" }));
    expect(warnings.map((message) => /listens to (.*?) is not/.exec(message)?.[1])).toEqual([
      "beforeUpdate of Item",
      "beforeUpdate of Manager",
    ]);
  });

  test("listeners of subclasses count where their rows are changed along, and not where rows are inserted", async () => {
    const { SessionLocal, warnings, Person, Manager } = await open();
    listen(Person, "beforeDelete", ignored);
    for (const name of ["beforeInsert", "beforeUpdate", "afterDelete"] as const) listen(Manager, name, ignored);
    await using session = SessionLocal();
    await session.execute(insert(Person), [{ name: "pat" }]);
    await session.execute(update(Person).values({ name: "b" }));
    await session.execute(deleteFrom(Person));
    expect(warnings.map((message) => /listens to (.*?) is not/.exec(message)?.[1])).toEqual([
      "beforeUpdate of Manager",
      "beforeDelete of Person and to afterDelete of Manager",
    ]);
  });

  test("a session can refuse such statements, before anything is done for them", async () => {
    const { SessionLocal, warnings, Item } = await open({ onSkippedEvents: "error" });
    await using session = SessionLocal();
    await session.execute(insert(Item), [{ name: "a" }]);
    listen(Item, "beforeDelete", ignored);
    session.add(new Item({ name: "pending" }));
    await expect(session.execute(deleteFrom(Item))).rejects.toThrow(InvalidRequestError);
    expect(session.new.size).toBe(1);
    await session.execute(update(Item).values({ name: "b" }));
    expect((await session.scalars(select(Item))).all()).toHaveLength(2);
    expect(warnings).toEqual([]);
  });

  test("a session, an execution or a statement can do without the warning, and an execution can ask for an error", async () => {
    const silent = await open({ onSkippedEvents: "ignore" });
    listen(silent.Item, "beforeDelete", ignored);
    await using session = silent.SessionLocal();
    await session.execute(deleteFrom(silent.Item));
    const error = { executionOptions: { onSkippedEvents: "error" } } as const;
    await expect(session.execute(deleteFrom(silent.Item), undefined, error)).rejects.toThrow("is not called");
    expect(silent.warnings).toEqual([]);
    await session.close();

    const { SessionLocal, warnings, Item } = await open();
    listen(Item, "beforeDelete", ignored);
    await using other = SessionLocal();
    await other.execute(deleteFrom(Item).executionOptions({ onSkippedEvents: "ignore" }));
    await other.execute(deleteFrom(Item), undefined, { executionOptions: { onSkippedEvents: "ignore" } });
    expect(warnings).toEqual([]);
  });

  test("a listener of doOrmExecute may make it another statement, or another option, and then that counts", async () => {
    const { SessionLocal, warnings, Item } = await open();
    listen(Item, "beforeDelete", ignored);
    await using session = SessionLocal();
    listen(session, "doOrmExecute", (event) => {
      if (event.isDelete) event.statement = update(Item).values({ name: "gone" });
    });
    await session.execute(deleteFrom(Item));
    expect(warnings).toEqual([]);
  });

  test("the warning is printed where nobody takes it", async () => {
    const { Item, SessionLocal } = await open({ onWarning: undefined as never });
    listen(Item, "beforeDelete", ignored);
    const printed = vi.spyOn(console, "warn").mockImplementation(ignored);
    try {
      await using session = SessionLocal();
      await session.execute(deleteFrom(Item));
      expect(printed).toHaveBeenCalledExactlyOnceWith(
        expect.stringContaining("athanor: deleteFrom(Item) deletes rows"),
      );
    } finally {
      printed.mockRestore();
    }
  });

  test("an option that is none of the three is refused", async () => {
    const { SessionLocal, Item } = await open();
    expect(() => SessionLocal({ onSkippedEvents: "always" as never })).toThrow(ArgumentError);
    await using session = SessionLocal();
    const statement = deleteFrom(Item).executionOptions({ onSkippedEvents: "always" as never });
    const error: unknown = await session.execute(statement).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toContain('onSkippedEvents is "ignore", "warn" or "error", and was "always".');
  });
});
