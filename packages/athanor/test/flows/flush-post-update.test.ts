import { expect, test } from "vitest";
import { createAll, integer, many, Metadata, model, one, sessionmaker, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { StatementLog } from "../statement-log.ts";

const metadata = new Metadata();
const id = integer().primaryKey();

/** An account has entries, and one of all entries is its favourite. */
class Account extends model(
  "accounts",
  {
    id,
    handle: text(),
    favorite_id: integer().nullable().references("entries.id"),
    get entries() {
      return many(Entry, { backPopulates: "account", foreignKey: "account_id", cascade: "all", orderBy: "id" });
    },
    get favorite() {
      return one(Entry, { foreignKey: "favorite_id", postUpdate: true });
    },
  },
  { metadata },
) {}

class Entry extends model(
  "entries",
  {
    id,
    account_id: integer().nullable().references("accounts.id"),
    text: text(),
    get account() {
      return one(Account, { backPopulates: "entries", foreignKey: "account_id" });
    },
  },
  { metadata },
) {}

class Node extends model(
  "nodes",
  {
    id,
    next_id: integer().nullable().references("nodes.id"),
    name: text(),
    get next() {
      return one(Node, { postUpdate: true });
    },
  },
  { metadata },
) {}

class Team extends model(
  "teams",
  {
    id,
    name: text(),
    get members() {
      return many(Member, { backPopulates: "team", postUpdate: true, orderBy: "id" });
    },
  },
  { metadata },
) {}

class Member extends model(
  "members",
  {
    id,
    team_id: integer().nullable().references("teams.id"),
    name: text(),
    get team() {
      return one(Team, { backPopulates: "members", postUpdate: true });
    },
  },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = async (): Promise<{ SessionLocal: ReturnType<typeof sessionmaker>; log: StatementLog }> => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    const log = new StatementLog(engine, [Account, Entry, Node, Team, Member]);
    return { SessionLocal: sessionmaker(engine, { autoflush: false }), log };
  };

  test("a key that is written afterwards follows the events of both rows by an UPDATE of its own, and is emptied before they go", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const account = log.name("acc", new Account({ handle: "a" }));
    const [e1, e2] = [log.name("e1", new Entry({ text: "1" })), log.name("e2", new Entry({ text: "2" }))];
    account.entries = [e1, e2];
    account.favorite = e1;
    session.add(account);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert acc",
      'INSERT accounts (handle, favorite_id) ["a",null]',
      "afterInsert acc",
      "beforeInsert e1",
      "beforeInsert e2",
      'INSERT entries (account_id, text) [1,"1"] [1,"2"]',
      "afterInsert e1",
      "afterInsert e2",
      "UPDATE accounts SET favorite_id WHERE id [1,1]",
    ]);
    account.favorite = e2;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate acc",
      "afterUpdate acc",
      "UPDATE accounts SET favorite_id WHERE id [2,1]",
    ]);
    account.favorite = e1;
    account.handle = "b";
    e1.text = "x";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate acc",
      'UPDATE accounts SET handle WHERE id ["b",1]',
      "afterUpdate acc",
      "beforeUpdate e1",
      'UPDATE entries SET text WHERE id ["x",1]',
      "afterUpdate e1",
      "UPDATE accounts SET favorite_id WHERE id [1,1]",
    ]);
    account.favorite = null;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate acc",
      "afterUpdate acc",
      "UPDATE accounts SET favorite_id WHERE id [null,1]",
    ]);
    account.favorite = e2;
    await session.flush();
    log.take();
    account.entries.splice(account.entries.indexOf(e2), 1);
    await session.delete(e2);
    account.favorite = null;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate acc",
      "afterUpdate acc",
      "UPDATE accounts SET favorite_id WHERE id [null,1]",
      "beforeDelete e2",
      "DELETE entries WHERE id [2]",
      "afterDelete e2",
    ]);
    account.favorite = e1;
    await session.flush();
    log.take();
    await session.delete(account);
    await session.flush();
    expect(log.take()).toEqual([
      "UPDATE accounts SET favorite_id WHERE id [null,1]",
      "beforeDelete e1",
      "DELETE entries WHERE id [1]",
      "afterDelete e1",
      "beforeDelete acc",
      "DELETE accounts WHERE id [1]",
      "afterDelete acc",
    ]);
  });

  test("rows of two tables that need each other crosswise are written as batches, and their keys when all are there", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [ea, eb] = [log.name("ea", new Entry({ text: "a" })), log.name("eb", new Entry({ text: "b" }))];
    const a = log.name("a", new Account({ handle: "a", entries: [ea], favorite: eb }));
    const b = log.name("b", new Account({ handle: "b", entries: [eb], favorite: ea }));
    session.addAll([a, b]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert a",
      "beforeInsert b",
      'INSERT accounts (handle, favorite_id) ["a",null] ["b",null]',
      "afterInsert a",
      "afterInsert b",
      "beforeInsert ea",
      "beforeInsert eb",
      'INSERT entries (account_id, text) [1,"a"] [2,"b"]',
      "afterInsert ea",
      "afterInsert eb",
      "UPDATE accounts SET favorite_id WHERE id [2,1] [1,2]",
    ]);
    await session.delete(b);
    a.favorite = ea;
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate a",
      "afterUpdate a",
      "UPDATE accounts SET favorite_id WHERE id [1,1] [null,2]",
      "beforeDelete eb",
      "DELETE entries WHERE id [2]",
      "afterDelete eb",
      "beforeDelete b",
      "DELETE accounts WHERE id [2]",
      "afterDelete b",
    ]);
  });

  test("rows of one table that need each other in a circle are written with it", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [x, y] = [log.name("x", new Node({ name: "x" })), log.name("y", new Node({ name: "y" }))];
    x.next = y;
    y.next = x;
    session.addAll([x, y]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert x",
      "beforeInsert y",
      'INSERT nodes (next_id, name) [null,"x"] [null,"y"]',
      "afterInsert x",
      "afterInsert y",
      "UPDATE nodes SET next_id WHERE id [2,1] [1,2]",
    ]);
    x.next = x;
    x.name = "X";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate x",
      'UPDATE nodes SET name WHERE id ["X",1]',
      "afterUpdate x",
      "UPDATE nodes SET next_id WHERE id [1,1]",
    ]);
    await session.delete(x);
    await session.delete(y);
    await session.flush();
    expect(log.take()).toEqual([
      "UPDATE nodes SET next_id WHERE id [null,1] [null,2]",
      "beforeDelete x",
      "beforeDelete y",
      "DELETE nodes WHERE id [1] [2]",
      "afterDelete x",
      "afterDelete y",
    ]);
  });

  test("rows that one key is written afterwards for stay one batch for each table", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const lone = log.name("lone", new Entry({ text: "lone" }));
    const e1 = log.name("e1", new Entry({ text: "1" }));
    const other = log.name("other", new Account({ handle: "o", favorite: e1 }));
    session.addAll([lone, log.name("acc", new Account({ handle: "a", entries: [e1] })), other]);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert acc",
      "beforeInsert other",
      'INSERT accounts (handle, favorite_id) ["a",null] ["o",null]',
      "afterInsert acc",
      "afterInsert other",
      "beforeInsert lone",
      "beforeInsert e1",
      'INSERT entries (account_id, text) [null,"lone"] [1,"1"]',
      "afterInsert lone",
      "afterInsert e1",
      "UPDATE accounts SET favorite_id WHERE id [2,2]",
    ]);
    await session.delete(lone);
    other.favorite = null;
    session.add(log.name("lone2", new Entry({ text: "lone2" })));
    e1.text = "E";
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate other",
      "afterUpdate other",
      "beforeInsert lone2",
      "beforeUpdate e1",
      'UPDATE entries SET text WHERE id ["E",2]',
      'INSERT entries (account_id, text) [null,"lone2"]',
      "afterInsert lone2",
      "afterUpdate e1",
      "UPDATE accounts SET favorite_id WHERE id [null,2]",
      "beforeDelete lone",
      "DELETE entries WHERE id [1]",
      "afterDelete lone",
    ]);
  });

  test("a collection can be written so from its own side", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const [m1, m2] = [log.name("m1", new Member({ name: "1" })), log.name("m2", new Member({ name: "2" }))];
    const team = log.name("t", new Team({ name: "t", members: [m1, m2] }));
    session.add(team);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeInsert t",
      'INSERT teams (name) ["t"]',
      "afterInsert t",
      "beforeInsert m1",
      "beforeInsert m2",
      'INSERT members (team_id, name) [null,"1"] [null,"2"]',
      "afterInsert m1",
      "afterInsert m2",
      "UPDATE members SET team_id WHERE id [1,1] [1,2]",
    ]);
    team.members.splice(0, 1);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate t",
      "afterUpdate t",
      "beforeUpdate m1",
      "afterUpdate m1",
      "UPDATE members SET team_id WHERE id [null,1]",
    ]);
    await session.delete(team);
    await session.flush();
    expect(log.take()).toEqual([
      "beforeUpdate m2",
      "UPDATE members SET team_id WHERE id [null,2]",
      "afterUpdate m2",
      "beforeDelete t",
      "DELETE teams WHERE id [1]",
      "afterDelete t",
    ]);
  });

  test("new rows whose transaction was rolled back are inserted as before when they are added again", async () => {
    const { SessionLocal, log } = await open();
    await using session = SessionLocal();
    const entry = new Entry({ text: "1" });
    const account = new Account({ handle: "a", entries: [entry], favorite: entry });
    const team = new Team({ name: "t", members: [new Member({ name: "1" })] });
    for (let attempt = 0; attempt < 2; attempt++) {
      session.addAll([account, team]);
      await session.flush();
      log.take();
      await session.rollback();
      session.addAll([account, team]);
      await session.flush();
      expect(log.take().filter((line) => /^[A-Z]/.test(line))).toEqual([
        'INSERT accounts (id, handle, favorite_id) [1,"a",null]',
        'INSERT teams (id, name) [1,"t"]',
        'INSERT members (id, team_id, name) [1,null,"1"]',
        'INSERT entries (id, account_id, text) [1,1,"1"]',
        "UPDATE members SET team_id WHERE id [1,1]",
        "UPDATE accounts SET favorite_id WHERE id [1,1]",
      ]);
      await session.rollback();
    }
  });
});
