import type { Session } from "../../src/index.ts";
import type { Question } from "./questions.ts";

/** What has come of a question. */
export interface Answer {
  /** The rows through the API, and those of the SQL written by hand, with values as text: drivers give some numbers as text, and Athanor does not. */
  readonly asked: readonly (readonly string[])[];
  readonly byHand: readonly (readonly string[])[];
  readonly askedMilliseconds: number;
  readonly byHandMilliseconds: number;
}

/** Asks a question through the API and by its SQL, in one transaction. */
export async function ask(session: Session, question: Question): Promise<Answer> {
  const connection = await session.connection();
  const started = performance.now();
  const asked = await question.ask(session);
  const between = performance.now();
  const { rows } = await connection.run(question.sql);
  const ended = performance.now();
  return {
    asked: asked.map((row) => (Array.isArray(row) ? row : Object.values(row as object)).map(String)),
    byHand: rows.map((row) => row.map(String)),
    askedMilliseconds: between - started,
    byHandMilliseconds: ended - between,
  };
}
