import { styleText } from "node:util";
import { attributes, type Engine, listen, Model, type SessionMaker } from "athanor";
import { journal, type Note } from "../journal.ts";
import type { ReceivedMail } from "../mail/mailbox.ts";
import { AuditEntry } from "../models/audit-entry.ts";
import { EmailChange } from "../models/email-change.ts";
import { User } from "../models/user.ts";
import { nameOf } from "../name-of.ts";
import type { Check } from "./checks.ts";
import { formatStatement, formatValues } from "./format-sql.ts";
import { sourceOf } from "./source-of.ts";
import { wrap } from "./wrap.ts";

const width = 100;
const margin = "    ";
const labelWidth = 18;
const textWidth = width - margin.length - labelWidth;

type Style = Parameters<typeof styleText>[0];

/** Tells a story line by line: chapters, the code of each step, and what happens while it runs. */
export class Narrator implements Disposable {
  readonly #print: (line: string) => void;
  readonly #end = new AbortController();
  #chapters = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Tells of everything that happens on this engine and in these sessions, until the narrator is disposed. It changes nothing. */
  watch(engine: Engine, SessionLocal: SessionMaker): void {
    const { signal } = this.#end;
    this.#watchStatements(engine, signal);
    this.#watchModels(signal);
    this.#watchSessions(SessionLocal, signal);
    const onNote = (entry: unknown): void => this.#note(entry as Note);
    journal.subscribe(onNote);
    signal.addEventListener("abort", () => journal.unsubscribe(onNote));
  }

  /** Begins the story: what it is called, where it is played, and how to read it. */
  title(title: string, database: string): void {
    this.#print(styleText("bold", `${title}, on ${database}`));
    this.#print("");
    this.#paragraph(
      "Each step shows the code of a service (│), and below it what happens, in that very order: the events, what the rules did in " +
        "them (└ and the name of the rule's file in src/rules), and the statements that go to the database, shortened and without " +
        "quotation marks. The events of what the rules themselves add, such as audit entries, are left out.",
    );
    this.#print("");
  }

  /** Begins a chapter: a heading, and a few sentences about what is to be seen in it. */
  chapter(title: string, text: string): void {
    this.#chapters++;
    this.#print("");
    this.#print(styleText("bold", `${String(this.#chapters).padStart(2)}  ${title}`));
    this.#print("");
    this.#paragraph(text);
    this.#print("");
  }

  /** Shows the code of some work, runs it, and tells what happens meanwhile. */
  async step(work: () => Promise<unknown>): Promise<void> {
    this.#show(work);
    await work();
    this.#print("");
  }

  /** A step that has to fail, with an error of that class. Anything else is an error of the story. */
  async failingStep(work: () => Promise<unknown>, expected: abstract new (...args: never) => Error): Promise<void> {
    this.#show(work);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof expected)) throw error;
      this.#tell(error.name, error.message, "red");
      this.#print("");
      return;
    }
    throw new Error(`The story expected ${expected.name} here, and nothing was thrown.`);
  }

  /** Tells that the mail server has received a mail. */
  mail({ to, subject }: ReceivedMail): void {
    this.#tell("MAIL", `"${subject}" has arrived for ${to}`, "magenta");
  }

  /** Tells the result of a check. */
  check({ title, problem }: Check): void {
    if (problem === undefined) this.#tell("ok", title, "green");
    else this.#tell("FAILED", `${title}: ${problem}`, "red");
  }

  /** Ends the story. */
  verdict(checks: number, failed: number): void {
    this.#print("");
    if (failed === 0) this.#print(styleText("green", `${margin}All ${checks} checks hold.`));
    else this.#print(styleText("red", `${margin}${failed} of ${checks} checks failed.`));
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    this.#end.abort();
  }

  #watchStatements(engine: Engine, signal: AbortSignal): void {
    listen(engine, "begin", () => this.#tell("BEGIN", "", "green"), { signal });
    listen(engine, "commit", () => this.#tell("COMMIT", "", "green"), { signal });
    listen(engine, "rollback", () => this.#tell("ROLLBACK", "", "red"), { signal });
    const onStatement = (statement: string, parameters: readonly unknown[]): void => {
      this.#tell("SQL", formatStatement(statement), "cyan");
      if (parameters.length > 0) this.#tell("", `with ${formatValues(parameters)}`, "dim");
    };
    listen(engine, "beforeCursorExecute", ({ statement, parameters }) => onStatement(statement, parameters), {
      signal,
    });
  }

  /** `insert` puts these listeners before the rules, so that an event is told before what the rules do in it. */
  #watchModels(signal: AbortSignal): void {
    const first = { signal, insert: true } as const;
    const rowEvents = [
      "beforeInsert",
      "afterInsert",
      "beforeUpdate",
      "afterUpdate",
      "beforeDelete",
      "afterDelete",
    ] as const;
    for (const name of rowEvents) {
      const onRow = ({ target }: { target: Model }): void => {
        if (!(target instanceof AuditEntry || target instanceof EmailChange)) this.#event(name, nameOf(target));
      };
      listen(Model, name, onRow, first);
    }
    listen(
      attributes(User).email,
      "set",
      ({ target, value }) => this.#event("set", `${target.constructor.name}.email = ${value}`),
      first,
    );
  }

  #watchSessions(SessionLocal: SessionMaker, signal: AbortSignal): void {
    const first = { signal, insert: true } as const;
    listen(
      SessionLocal,
      "beforeFlush",
      ({ session }) => {
        const found = { new: session.new, changed: session.dirty, deleted: session.deleted };
        const described = Object.entries(found)
          .filter(([, instances]) => instances.size > 0)
          .map(([what, instances]) => `${what}: ${[...instances].map(nameOf).join(", ")}`);
        this.#event("beforeFlush", described.join("; "));
      },
      first,
    );
    listen(
      SessionLocal,
      "afterCommit",
      ({ changes }) => {
        const described = changes.map(({ operation, target }) => `${operation} ${nameOf(target)}`);
        this.#event("afterCommit", `changes: ${described.length === 0 ? "none" : described.join(", ")}`);
      },
      first,
    );
    listen(SessionLocal, "afterRollback", () => this.#event("afterRollback", ""), first);
  }

  #show(work: () => unknown): void {
    for (const line of sourceOf(work)) this.#print(`${margin}${styleText("yellow", `│ ${line}`)}`);
    this.#print("");
  }

  #paragraph(text: string): void {
    for (const line of wrap(text, width - margin.length)) this.#print(`${margin}${line}`);
  }

  #event(name: string, text: string): void {
    this.#tell(name, text, "blue");
  }

  #note({ rule, text }: Note): void {
    this.#tell(`  └ ${rule}`, text, "magenta");
  }

  #tell(label: string, text: string, style: Style): void {
    const [first = "", ...rest] = wrap(text, textWidth);
    // What has no label is coloured itself.
    const shown = (line: string): string => (label === "" ? styleText(style, line) : line);
    const padded = label.padEnd(labelWidth);
    this.#print(`${margin}${label === "" ? padded : styleText(style, padded)}${shown(first)}`.trimEnd());
    for (const line of rest) this.#print(`${margin}${" ".repeat(labelWidth)}${shown(line)}`);
  }
}
