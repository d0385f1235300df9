import { expect, test } from "vitest";
import { describeDatabases, testedDatabases } from "./announce-databases.ts";

test("a run says which databases it leaves out, and how to test them too", () => {
  expect(describeDatabases(testedDatabases("pglite, sqlite"))).toBe(
    "databases: sqlite, pglite · skipped: postgres " +
      "(set ATHANOR_DATABASES=sqlite,pglite,postgres and ATHANOR_POSTGRES_URL)",
  );
  expect(describeDatabases(testedDatabases("sqlite,pglite,postgres"))).toBe("databases: sqlite, pglite, postgres");
});

test("a database that does not exist is refused by name", () => {
  expect(() => testedDatabases("sqlite,oracle")).toThrow('"oracle", which is not one of sqlite, pglite, postgres');
});
