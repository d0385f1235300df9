import { sessionmaker } from "../../src/index.ts";
import { type Database, openDatabase } from "./database.ts";
import { addHooks } from "./hooks.ts";
import { Labels } from "./labels.ts";
import { familyNamed } from "./models.ts";
import type { Program, StepRecord } from "./program.ts";
import { Recorder, recordModels } from "./recorder.ts";
import { runStep, type Stage } from "./steps.ts";

/** What a program did here. */
export interface Run {
  readonly trace: readonly StepRecord[];
  /** By the index of the record, what a failed step threw. */
  readonly errors: ReadonlyMap<number, unknown>;
}

/** After these steps the record tells what is in the database. */
const writingSteps: ReadonlySet<string> = new Set([
  "flush",
  "commit",
  "rollback",
  "nestedCommit",
  "nestedRollback",
  "bulkInsert",
  "bulkUpdate",
  "bulkDelete",
]);

/** No step of a program takes a noticeable time, so one that takes this many milliseconds waits for something that never comes. */
const STUCK_AFTER = 5000;

/** Runs a program on one session of its own, on a fresh database. */
export async function runProgram(program: Program, databaseUrl?: string): Promise<Run> {
  const family = familyNamed(program.options.family);
  const labels = new Labels(family);
  const recorder = new Recorder(family, labels);
  const database = await openDatabase(family, databaseUrl);
  const { expireOnCommit, autoflush, hooks = [] } = program.options;
  const sessions = sessionmaker(database.engine, {
    models: Object.values(family.kinds).map(({ model }) => model),
    expireOnCommit,
    autoflush,
    onWarning: () => {},
  });
  recordModels(family, recorder);
  recorder.watchSessions(sessions);
  const listenings = addHooks(hooks, sessions, recorder);
  const session = sessions();
  try {
    return await runSteps(program, { session, family, labels, savepoints: [] }, recorder, database);
  } finally {
    recordModels(family, undefined);
    for (const listening of listenings) listening.remove();
    await session.close();
    await database.close();
  }
}

async function runSteps({ trace }: Program, stage: Stage, recorder: Recorder, database: Database): Promise<Run> {
  const records: StepRecord[] = [];
  const errors = new Map<number, unknown>();
  for (const { step } of trace) {
    let outcome: Pick<StepRecord, "result" | "error"> = {};
    try {
      const result = await inTime(runStep(stage, step));
      if (result !== undefined && result !== null) outcome = { result: stage.labels.encode(result) };
    } catch (error) {
      errors.set(records.length, error);
      outcome = { error: error instanceof Error ? error.name : String(error) };
    }
    const record = recorder.take(step, stage.session, outcome);
    records.push(writingSteps.has(step[0]) ? { ...record, db: await database.rows() } : record);
  }
  return { trace: records, errors };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("The step never ended.")), STUCK_AFTER);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
