import {
  type AnyModel,
  createAll,
  type Engine,
  type EngineOptions,
  type Metadata,
  type SessionMaker,
  type SessionOptions,
  sessionmaker,
} from "../../src/index.ts";
import type { Database } from "../databases.ts";
import { EventLog } from "../event-log.ts";

/** What a test of sessions starts from. */
export interface OpenSessions {
  readonly engine: Engine;
  readonly SessionLocal: SessionMaker;
  readonly log: EventLog;
  /** The rows that a query finds, read past all sessions: what is committed. Needs a free connection. */
  rows(query: string): Promise<unknown[][]>;
}

/** Creates the tables of some models in an empty database, and a sessionmaker for it, with a log of everything that happens. */
export async function openSessions(
  db: Database,
  metadata: Metadata,
  models: readonly AnyModel[],
  options: SessionOptions & EngineOptions = {},
): Promise<OpenSessions> {
  const engine = db.engine(options);
  await createAll(engine, { metadata });
  // The log listens to every row event, and misses none of those that bulk statements skip.
  const SessionLocal = sessionmaker(engine, { onSkippedEvents: "ignore", ...options });
  const log = new EventLog({ engine, sessions: SessionLocal, models });
  const rows = async (query: string): Promise<unknown[][]> => {
    await using connection = await engine.connect();
    return (await connection.run(query)).rows;
  };
  return { engine, SessionLocal, log, rows };
}
