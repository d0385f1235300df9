import { expect, test } from "vitest";
import {
  createAll,
  inherit,
  inspect,
  integer,
  load,
  many,
  Metadata,
  model,
  one,
  sessionmaker,
  sql,
  StaleDataError,
  text,
} from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { StatementLog } from "../statement-log.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

class Doc extends model(
  "docs",
  {
    id,
    version: integer(),
    title: text(),
    note: text().nullable(),
    cover_id: integer().nullable().references("pages.id"),
    get pages() {
      return many(Page, { backPopulates: "doc", foreignKey: "doc_id", cascade: "all, delete-orphan", orderBy: "id" });
    },
    get cover() {
      return one(Page, { foreignKey: "cover_id", postUpdate: true });
    },
  },
  { metadata, version: "version" },
) {}

class Page extends model(
  "pages",
  {
    id,
    doc_id: integer().nullable().references("docs.id"),
    text: text(),
    get doc() {
      return one(Doc, { backPopulates: "pages", foreignKey: "doc_id" });
    },
  },
  { metadata },
) {}

class Plain extends model("plain", { id, name: text() }, { metadata }) {}

class Thing extends model(
  "things",
  { id, version: integer(), kind: text(), name: text() },
  { metadata, version: "version", polymorphicOn: "kind", identity: "thing" },
) {}
class Gadget extends inherit(
  Thing,
  { identity: "gadget", table: "gadgets" },
  { id: integer().primaryKey().references("things.id"), power: integer() },
) {}

forEachDatabase((db) => {
  const open = async (): Promise<{
    SessionLocal: ReturnType<typeof sessionmaker>;
    log: StatementLog;
    warnings: string[];
  }> => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const warnings: string[] = [];
    const onWarning = ({ message }: { readonly message: string }): void => void warnings.push(message);
    return {
      SessionLocal: sessionmaker(engine, { autoflush: false, onWarning, models: [Doc, Page, Plain, Thing, Gadget] }),
      log: new StatementLog(engine, [Doc, Page, Plain, Thing]),
      warnings,
    };
  };

  test("a version is written with every change of the row, and finds it; events without a change leave it", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [d, f] = [log.name("d", new Doc({ title: "d" })), log.name("f", new Doc({ title: "f" }))];
    session.addAll([d, f]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert d",
      "beforeInsert f",
      'INSERT docs (version, title, note, cover_id) [1,"d",null,null] [1,"f",null,null]',
      "afterInsert d",
      "afterInsert f",
    ]);
    d.title = "D";
    f.title = "F";
    f.note = "n";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate d",
      "beforeUpdate f",
      'UPDATE docs SET version, title WHERE id, version [2,"D",1,1]',
      'UPDATE docs SET version, title, note WHERE id, version [2,"F","n",2,1]',
      "afterUpdate d",
      "afterUpdate f",
    ]);
    d.title = "D";
    await session.flush();
    expect(log.take()).toEqual(["beforeUpdate d", "afterUpdate d"]);
    await load(d, "pages");
    log.take();
    d.pages.push(log.name("p", new Page({ text: "p" })));
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate d",
      "afterUpdate d",
      "beforeInsert p",
      'INSERT pages (doc_id, text) [1,"p"]',
      "afterInsert p",
    ]);
    d.cover = d.pages[0] as Page;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate d",
      "afterUpdate d",
      "UPDATE docs SET cover_id, version WHERE id, version [1,3,1,2]",
    ]);
    d.cover = null;
    d.title = "E";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate d",
      'UPDATE docs SET version, title WHERE id, version [4,"E",1,3]',
      "afterUpdate d",
      "UPDATE docs SET cover_id, version WHERE id, version [null,5,1,4]",
    ]);
    expect(d.version).toBe(5);
    await session.delete(f);
    await session.flush();
    expect(log.take()).toEqual([
      "SELECT pages [2]",
      "beforeDelete f",
      "DELETE docs WHERE id, version [2,2]",
      "afterDelete f",
    ]);
  });

  test("a version that the program gives is the next one, and the row is found by the one before", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const d = log.name("d", new Doc({ title: "d" }));
    session.add(d);
    await session.flush();
    log.take();
    d.version = 7;
    d.title = "D";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate d",
      'UPDATE docs SET version, title WHERE id, version [7,"D",1,1]',
      "afterUpdate d",
    ]);
    d.title = "E";
    await session.flush();
    expect(d.version).toBe(8);
  });

  test("the version of a hierarchy stands in its first table, and counts changes of the others", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const g = log.name("g", new Gadget({ name: "g", power: 1 }));
    session.add(g);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert g",
      'INSERT things (version, kind, name) [1,"gadget","g"]',
      "INSERT gadgets (id, power) [1,1]",
      "afterInsert g",
    ]);
    g.power = 2;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate g",
      "UPDATE things SET version WHERE id, version [2,1,1]",
      "UPDATE gadgets SET power WHERE id [2,1]",
      "afterUpdate g",
    ]);
    g.name = "G";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate g",
      'UPDATE things SET version, name WHERE id, version [3,"G",1,2]',
      "afterUpdate g",
    ]);
    g.name = "GG";
    g.power = 9;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate g",
      'UPDATE things SET version, name WHERE id, version [4,"GG",1,3]',
      "UPDATE gadgets SET power WHERE id [9,1]",
      "afterUpdate g",
    ]);
    await session.delete(g);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeDelete g",
      "DELETE gadgets WHERE id [1]",
      "DELETE things WHERE id, version [1,4]",
      "afterDelete g",
    ]);
  });

  test("a version that is another one by now fails the flush, after the UPDATEs and before what follows them", async () => {
    const { SessionLocal, log } = await open();
    await SessionLocal.begin((session) => session.addAll([new Doc({ title: "d" }), new Doc({ title: "f" })]));
    await using session = SessionLocal();
    const [d, f] = [(await session.get(Doc, 1)) as Doc, (await session.get(Doc, 2)) as Doc];
    await session.execute(sql`update docs set version = 9 where id = 2`);
    log.take();
    d.title = "x";
    f.title = "stale";
    await expect(session.flush()).rejects.toThrow(StaleDataError);
    expect(log.take()).toEqual([
      "beforeUpdate Doc(1)",
      "beforeUpdate Doc(2)",
      'UPDATE docs SET version, title WHERE id, version [2,"x",1,1] [2,"stale",2,1]',
    ]);
    await session.rollback();
    await session.refresh(d);
    await session.refresh(f);
    expect([d.title, d.version, f.title, f.version]).toEqual(["d", 1, "f", 1]);
    await load(d, "pages");
    await load(f, "pages");
    await session.execute(sql`update docs set version = 9 where id = 2`);
    await session.delete(f);
    await session.delete(d);
    log.take();
    await expect(session.flush()).rejects.toThrow(StaleDataError);
    expect(log.take()).toEqual([
      "beforeDelete Doc(1)",
      "beforeDelete Doc(2)",
      "DELETE docs WHERE id, version [1,1] [2,1]",
    ]);
    await session.rollback();
    expect([d, f].map((doc) => inspect(doc).lifecycle)).toEqual(["persistent", "persistent"]);
  });

  test("without a version a row that is gone fails an UPDATE, and a DELETE with a warning alone", async () => {
    const { SessionLocal, log, warnings } = await open();
    await SessionLocal.begin((session) => session.addAll([new Plain({ name: "1" }), new Plain({ name: "2" })]));
    await using session = SessionLocal();
    const [p, q] = [(await session.get(Plain, 1)) as Plain, (await session.get(Plain, 2)) as Plain];
    await session.execute(sql`delete from plain where id = 1`);
    p.name = "z";
    log.take();
    await expect(session.flush()).rejects.toThrow(StaleDataError);
    expect(log.take()).toEqual(["beforeUpdate Plain(1)", 'UPDATE plain SET name WHERE id ["z",1]']);
    await session.rollback();
    await session.refresh(p);
    await session.refresh(q);
    await session.execute(sql`delete from plain where id = 1`);
    await session.delete(p);
    await session.delete(q);
    log.take();
    await session.flush();
    expect(log.take()).toEqual([
      "beforeDelete Plain(1)",
      "beforeDelete Plain(2)",
      "DELETE plain WHERE id [1] [2]",
      "afterDelete Plain(1)",
      "afterDelete Plain(2)",
    ]);
    expect(warnings).toEqual([expect.stringContaining("found no row")]);
    expect([p, q].map((plain) => inspect(plain).lifecycle)).toEqual(["deleted", "deleted"]);
  });
});
