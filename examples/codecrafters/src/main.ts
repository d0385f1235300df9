import { AthanorError } from "athanor";
import { checkOutcome } from "./story/checks.ts";
import { openStage } from "./story/stage.ts";
import { tellStory } from "./story/story.ts";

const url = process.argv[2] ?? "sqlite::memory:";
// Whatever goes wrong on the way leaves it at 1.
process.exitCode = 1;

await using stage = await openStage(url, console.log).catch(sayWhy);
if (stage !== undefined) {
  const { narrator, engine, mailbox } = stage;
  narrator.title("CodeCrafters on autopilot", engine.url);
  await tellStory(stage);
  narrator[Symbol.dispose]();

  narrator.chapter(
    "Is everything as it should be?",
    "The database is asked in SQL, past all models and rules, and the mail server for what it has received.",
  );
  await using connection = await engine.connect();
  const checks = await checkOutcome(connection, mailbox.mails);
  for (const check of checks) narrator.check(check);
  const failed = checks.filter(({ problem }) => problem !== undefined).length;
  narrator.verdict(checks.length, failed);
  if (failed === 0) process.exitCode = 0;
}

/** A database that cannot be used needs no stack trace. */
function sayWhy(error: unknown): undefined {
  if (!(error instanceof AthanorError)) throw error;
  console.error(error.message);
}
