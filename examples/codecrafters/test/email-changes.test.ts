import { createAll, createEngine, type Engine, select, type SessionMaker, sessionmaker } from "athanor";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EmailChange } from "../src/models/email-change.ts";
import { User } from "../src/models/user.ts";
import "../src/rules/email-case.ts";
import "../src/rules/email-changes.ts";
import { keepTimestamps } from "../src/rules/timestamps.ts";

let engine: Engine;
let SessionLocal: SessionMaker;
beforeEach(async () => {
  engine = createEngine("sqlite::memory:");
  await createAll(engine);
  SessionLocal = sessionmaker(engine);
  keepTimestamps(SessionLocal);
  await SessionLocal.begin((session) => {
    session.add(new User({ username: "ada", email: "ada@old.example", passwordHash: "none" }));
  });
});
afterEach(() => engine.dispose());

test("a change that is rolled back leaves no trace", async () => {
  await using session = SessionLocal();
  const ada = (await session.scalars(select(User))).one();
  ada.email = "Ada@new.example";
  await session.flush();
  expect((await session.scalars(select(EmailChange))).one()).toMatchObject({
    oldEmail: "ada@old.example",
    newEmail: "ada@new.example",
  });
  await session.rollback();
  expect((await session.scalars(select(EmailChange))).all()).toEqual([]);
});

test("an address whose old value is unknown cannot be changed, so that no change is missed", async () => {
  await using session = SessionLocal();
  const ada = (await session.scalars(select(User))).one();
  session.expire(ada, ["email"]);
  expect(() => (ada.email = "ada@new.example")).toThrow("in a session that has loaded it");
  await session.refresh(ada);
  session.expunge(ada);
  expect(() => (ada.email = "ada@new.example")).toThrow("in a session that has loaded it");
  expect(ada.email).toBe("ada@old.example");
});
