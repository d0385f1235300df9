import { expect, test } from "vitest";
import { createAll, integer, load, many, Metadata, model, sessionmaker, table, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { StatementLog } from "../statement-log.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Item extends model(
  "items",
  {
    id,
    name: text(),
    get tags() {
      return many(Tag, { secondary: "item_tags", backPopulates: "items", orderBy: "id" });
    },
  },
  { metadata },
) {}

class Tag extends model(
  "tags",
  {
    id,
    name: text(),
    get items() {
      return many(Item, { secondary: "item_tags", backPopulates: "tags", orderBy: "id" });
    },
  },
  { metadata },
) {}

table(
  "item_tags",
  {
    item_id: integer().primaryKey().references("items.id"),
    tag_id: integer().primaryKey().references("tags.id"),
  },
  { metadata },
);

forEachDatabase((db) => {
  const open = async (): Promise<{ SessionLocal: ReturnType<typeof sessionmaker>; log: StatementLog }> => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    return { SessionLocal: sessionmaker(engine, { autoflush: false }), log: new StatementLog(engine, [Item, Tag]) };
  };

  test("rows of a table between are inserted when both sides are, and raise no events", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const i1 = log.name("i1", new Item({ name: "i1" }));
    i1.tags = [log.name("t1", new Tag({ name: "t1" })), log.name("t2", new Tag({ name: "t2" }))];
    session.add(i1);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert i1",
      'INSERT items (name) ["i1"]',
      "afterInsert i1",
      "beforeInsert t1",
      "beforeInsert t2",
      'INSERT tags (name) ["t1"] ["t2"]',
      "afterInsert t1",
      "afterInsert t2",
      "INSERT item_tags (item_id, tag_id) [1,1] [1,2]",
    ]);
  });

  test("removing deletes the row between, and both sides raise their events without being written", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [t1, t2] = [log.name("t1", new Tag({ name: "t1" })), log.name("t2", new Tag({ name: "t2" }))];
    const i1 = log.name("i1", new Item({ name: "i1", tags: [t1, t2] }));
    session.add(i1);
    await session.flush();
    log.take();
    i1.tags.splice(0, 1);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate i1",
      "afterUpdate i1",
      "beforeUpdate t1",
      "afterUpdate t1",
      "DELETE item_tags WHERE item_id, tag_id [1,1]",
    ]);
    i1.tags = [t1];
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate i1",
      "afterUpdate i1",
      "beforeUpdate t1",
      "beforeUpdate t2",
      "afterUpdate t1",
      "afterUpdate t2",
      "DELETE item_tags WHERE item_id, tag_id [1,2]",
      "INSERT item_tags (item_id, tag_id) [1,1]",
    ]);
  });

  test("what both sides tell is written once: deletions of all rows between come before insertions, and follow every save", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [t1, t2] = [log.name("t1", new Tag({ name: "t1" })), log.name("t2", new Tag({ name: "t2" }))];
    const i1 = log.name("i1", new Item({ name: "i1", tags: [t1] }));
    session.addAll([i1, t2]);
    await session.flush();
    log.take();
    const t3 = log.name("t3", new Tag({ name: "t3" }));
    const i2 = log.name("i2", new Item({ name: "i2" }));
    t3.items = [i1, i2];
    i2.tags = [t1, t2, t3];
    session.add(t3);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert i2",
      "beforeUpdate i1",
      'INSERT items (name) ["i2"]',
      "afterInsert i2",
      "afterUpdate i1",
      "beforeInsert t3",
      "beforeUpdate t1",
      "beforeUpdate t2",
      'INSERT tags (name) ["t3"]',
      "afterInsert t3",
      "afterUpdate t1",
      "afterUpdate t2",
      "INSERT item_tags (item_id, tag_id) [2,1] [2,2] [2,3] [1,3]",
    ]);
    i1.tags = [t2];
    t2.items.splice(t2.items.indexOf(i2), 1);
    t1.name = "T";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate i1",
      "beforeUpdate i2",
      "afterUpdate i1",
      "afterUpdate i2",
      "beforeUpdate t1",
      "beforeUpdate t2",
      "beforeUpdate t3",
      'UPDATE tags SET name WHERE id ["T",1]',
      "afterUpdate t1",
      "afterUpdate t2",
      "afterUpdate t3",
      "DELETE item_tags WHERE item_id, tag_id [1,1] [1,3] [2,2]",
      "INSERT item_tags (item_id, tag_id) [1,2]",
    ]);
  });

  /** Two items and three tags: the first item has the second tag, the second item the first and the third. */
  const save = async (SessionLocal: ReturnType<typeof sessionmaker>, log: StatementLog): Promise<void> => {
    await SessionLocal.begin((session) => {
      const [t1, t2, t3] = ["t1", "t2", "t3"].map((name) => new Tag({ name })) as [Tag, Tag, Tag];
      session.addAll([t1, t2, t3]);
      session.addAll([new Item({ name: "i1", tags: [t2] }), new Item({ name: "i2", tags: [t1, t3] })]);
    });
    log.take();
  };

  test("of a deleted instance the rows between go first, which are loaded where they are not known", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const i2 = (await session.get(Item, 2)) as Item;
    log.take();
    await session.delete(i2);
    expect(log.take()).toEqual([]);
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT tags [2]",
      "DELETE item_tags WHERE item_id, tag_id [2,1] [2,3]",
      "beforeDelete Item(2)",
      "DELETE items WHERE id [2]",
      "afterDelete Item(2)",
    ]);
  });

  test("when both sides are deleted the row between goes once, before either", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const i2 = (await session.get(Item, 2)) as Item;
    const t1 = (await load(i2, "tags")).find(({ name }) => name === "t1") as Tag;
    await load(t1, "items");
    log.take();
    await session.delete(i2);
    await session.delete(t1);
    await session.flush();
    expect(log.take()).toEqual([
      "DELETE item_tags WHERE item_id, tag_id [2,1] [2,3]",
      "beforeDelete Item(2)",
      "DELETE items WHERE id [2]",
      "afterDelete Item(2)",
      "beforeDelete Tag(1)",
      "DELETE tags WHERE id [1]",
      "afterDelete Tag(1)",
    ]);
  });

  test("rows between of what is deleted go before anything is saved, and new ones come after", async () => {
    const { SessionLocal, log } = await open();
    await save(SessionLocal, log);
    await using session = SessionLocal();
    const [i1, i2] = [(await session.get(Item, 1)) as Item, (await session.get(Item, 2)) as Item];
    await load(i1, "tags");
    await load(i2, "tags");
    log.take();
    await session.delete(i2);
    i1.tags.push(log.name("new", new Tag({ name: "new" })));
    await session.flush();
    expect(log.take()).toEqual([
      "DELETE item_tags WHERE item_id, tag_id [2,1] [2,3]",
      "beforeUpdate Item(1)",
      "afterUpdate Item(1)",
      "beforeInsert new",
      'INSERT tags (name) ["new"]',
      "afterInsert new",
      "INSERT item_tags (item_id, tag_id) [1,4]",
      "beforeDelete Item(2)",
      "DELETE items WHERE id [2]",
      "afterDelete Item(2)",
    ]);
  });
});
