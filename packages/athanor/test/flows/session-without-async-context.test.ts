import { afterEach, expect, test, vi } from "vitest";
import type * as Athanor from "../../src/index.ts";

/** The library on a platform where nobody can tell from where an asynchronous call comes. */
async function libraryWithoutAsyncContext(): Promise<typeof Athanor> {
  vi.resetModules();
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
  try {
    return await import("../../src/index.ts");
  } finally {
    vi.unstubAllGlobals();
  }
}

afterEach(() => vi.resetModules());

test("without an async context a session refuses a call that it cannot place, and works one call at a time", async () => {
  const { ConcurrentOperationError, createAll, createEngine, integer, listen, Metadata, model, sessionmaker, text } =
    await libraryWithoutAsyncContext();
  const metadata = new Metadata();
  class User extends model("users", { id: integer().primaryKey(), name: text() }, { metadata }) {}
  await using engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  await using session = sessionmaker(engine)();
  const refused: unknown[] = [];
  listen(User, "beforeInsert", async ({ target, connection }) => {
    await session.get(User, 9).catch((error: unknown) => refused.push(error));
    await connection.run("select 1");
    target.name += "!";
  });
  session.add(new User({ name: "ann" }));
  const committing = session.commit();
  await expect(session.get(User, 1)).rejects.toThrow(ConcurrentOperationError);
  await committing;
  expect(refused).toEqual([expect.any(ConcurrentOperationError)]);
  expect((await session.get(User, 1))?.name).toBe("ann!");
});
