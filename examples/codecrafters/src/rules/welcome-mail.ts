import { listen, type SessionMaker } from "athanor";
import { note } from "../journal.ts";
import type { Mailer } from "../mail/mailer.ts";
import { User } from "../models/user.ts";

/**
 * Welcomes new users, once they really are users. afterCommit comes after the COMMIT of the whole transaction, and `changes` holds what it wrote: an address
 * that was taken, or work that was rolled back, never gets here.
 */
export function sendWelcomeMail(SessionLocal: SessionMaker, mailer: Mailer): void {
  listen(SessionLocal, "afterCommit", async ({ changes }) => {
    for (const { target, operation } of changes) {
      if (operation !== "insert" || !(target instanceof User)) continue;
      note("welcome-mail", `a mail to ${target.email}`);
      await mailer.send({
        to: target.email,
        subject: `Welcome to CodeCrafters, ${target.username}`,
        text: "Your account is ready. Happy crafting!",
      });
    }
  });
}
