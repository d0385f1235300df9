import { expect, test } from "vitest";
import { integer, joinedLoad, many, Metadata, model, one, select, text } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { openSessions } from "./open-sessions.ts";

const metadata = new Metadata();

class Job extends model(
  "jobs",
  {
    id: integer().primaryKey(),
    state: text(),
    get logs() {
      return many(Log, { backPopulates: "job" });
    },
  },
  { metadata },
) {}

class Log extends model(
  "logs",
  {
    id: integer().primaryKey(),
    jobId: integer().references("jobs.id"),
    get job() {
      return one(Job, { backPopulates: "logs" });
    },
  },
  { metadata },
) {}

forEachDatabase((db) => {
  const open = (): ReturnType<typeof openSessions> =>
    openSessions(db, metadata, [Job, Log], db.name === "postgres" ? { poolSize: 3 } : {});
  const next = select(Job)
    .where({ state: "open" })
    .orderBy((job) => job.id)
    .limit(1);

  test("a SELECT for update finds what it would find without, also with what is joined and loaded along", async () => {
    const { SessionLocal } = await open();
    await using session = SessionLocal();
    session.add(new Job({ state: "open", logs: [new Log({})] }));
    await session.commit();
    const [job] = (await session.scalars(next.options(joinedLoad(Job, "logs")).forUpdate())).all();
    expect(job?.logs).toHaveLength(1);
    const joined = select(Job).outerJoin("logs").forUpdate({ strength: "share" });
    expect((await session.scalars(joined)).all()).toEqual([job]);
  });

  test.runIf(db.name === "postgres")("a row that another transaction has locked is left out, or refused", async () => {
    const { SessionLocal } = await open();
    await using one = SessionLocal();
    one.addAll([new Job({ state: "open" }), new Job({ state: "open" })]);
    await one.commit();
    const ids = async (session: typeof one, statement: typeof next): Promise<number[]> =>
      (await session.scalars(statement)).all().map(({ id }) => id);
    await using other = SessionLocal();
    expect(await ids(one, next.forUpdate({ locked: "skip" }))).toEqual([1]);
    expect(await ids(other, next.forUpdate({ locked: "skip" }))).toEqual([2]);
    await using third = SessionLocal();
    expect(await ids(third, next.forUpdate({ locked: "skip" }))).toEqual([]);
    await expect(third.scalars(next.forUpdate({ locked: "fail" }))).rejects.toMatchObject({ isRetryable: true });
    await third.rollback();
    await one.commit();
    expect(await ids(third, next.forUpdate({ locked: "fail" }))).toEqual([1]);
  });

  test("a lock of no kind is refused", () => {
    expect(() => next.forUpdate({ locked: "never" as never })).toThrow(/locked: "wait" \| "fail" \| "skip"/);
    expect(() => next.forUpdate({ skipLocked: true } as never)).toThrow(/and got {"skipLocked":true}/);
  });
});
