import { expect, test } from "vitest";
import { createAll, sessionmaker } from "../../src/index.ts";
import { forEachDatabase } from "../databases.ts";
import { ask } from "./ask.ts";
import { fill } from "./contents.ts";
import { metadata } from "./models.ts";
import { questions } from "./questions.ts";

forEachDatabase((db) => {
  test("what people ask of a shop is answered as by SQL written by hand", { timeout: 60_000 }, async () => {
    const engine = db.engine();
    await createAll(engine, { metadata });
    await using session = sessionmaker(engine)();
    await fill(session, 1);
    for (const question of questions) {
      const { asked, byHand } = await ask(session, question);
      expect(byHand.length).toBeGreaterThan(0);
      expect([question.text, ...asked]).toEqual([question.text, ...byHand]);
    }
  });
});
