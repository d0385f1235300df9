import { createEngine, dropAll, type Engine, type SessionMaker } from "athanor";
import { createBackend } from "../backend.ts";
import { type Mailbox, openMailbox } from "../mail/mailbox.ts";
import { createMailer } from "../mail/mailer.ts";
import { Narrator } from "./narrator.ts";

/** Everything that the story is played on: a database without the backend's tables, a mail server, the backend, and somebody who tells what happens. */
export interface Stage extends AsyncDisposable {
  readonly narrator: Narrator;
  readonly engine: Engine;
  readonly mailbox: Mailbox;
  readonly SessionLocal: SessionMaker;
}

/** Sets everything up. What an earlier run has left in the database is dropped. */
export async function openStage(url: string, print: (line: string) => void): Promise<Stage> {
  await using opened = new AsyncDisposableStack();
  const narrator = opened.use(new Narrator(print));
  const engine = opened.use(createEngine(url));
  const mailbox = opened.use(await openMailbox((mail) => narrator.mail(mail)));
  const SessionLocal = createBackend(engine, createMailer(mailbox.url));
  await dropAll(engine);
  narrator.watch(engine, SessionLocal);
  const all = opened.move();
  return { narrator, engine, mailbox, SessionLocal, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
