import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as nextJob } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import {
  createAll,
  createEngine,
  integer,
  listen,
  Metadata,
  model,
  select,
  type Session,
  sessionmaker,
} from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const metadata = new Metadata();

class Job extends model("jobs", { id: integer().primaryKey() }, { metadata }) {}

test("work that a listener starts, whose listener starts the next, keeps nothing of what came before", async () => {
  await using engine = createEngine("sqlite::memory:");
  await createAll(engine, { metadata });
  const SessionLocal = sessionmaker(engine);
  const sessions: WeakRef<Session>[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const work = (): Promise<void> =>
    SessionLocal.begin(async (session) => {
      sessions.push(new WeakRef(session));
      await session.scalars(select(Job));
    });
  let lastContext: (<T>(run: () => T) => T) | undefined;
  listen(SessionLocal, "afterCommit", () => {
    // In turn before the commit around it has ended, right after it, and later.
    const schedule = [queueMicrotask, setImmediate, (next: () => void) => setTimeout(next, 0)][sessions.length % 3];
    if (sessions.length < 2_000) schedule?.(() => void work().catch(reject));
    else {
      lastContext = AsyncLocalStorage.snapshot();
      setImmediate(resolve);
    }
  });
  await work();
  await promise;
  const left = (): number => sessions.filter((session) => session.deref() !== undefined).length;
  for (let attempt = 0; attempt < 20 && left() > 2; attempt++) {
    await nextJob();
    collectGarbage();
  }
  expect(sessions).toHaveLength(2_000);
  expect(left()).toBeLessThanOrEqual(2);
  expect(lastContext?.(() => 1)).toBe(1);
});
