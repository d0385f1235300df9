import { type Engine, type SessionMaker, sessionmaker } from "athanor";
import type { Mailer } from "./mail/mailer.ts";
import { PremiumUser } from "./models/premium-user.ts";
import { auditChanges } from "./rules/audit.ts";
import { keepTimestamps } from "./rules/timestamps.ts";
import { sendWelcomeMail } from "./rules/welcome-mail.ts";

// Rules of models: importing one is enough, wherever its model is used.
import "./rules/archive.ts";
import "./rules/email-changes.ts";
import "./rules/email-case.ts";
import "./rules/passwords.ts";
import "./rules/profiles.ts";
import "./rules/suspension.ts";
import "./rules/trial-period.ts";
import "./rules/usernames.ts";

/** The sessions of the platform, with all its rules: whatever a service does in them, the rules are kept. */
export function createBackend(engine: Engine, mailer: Mailer): SessionMaker {
  const SessionLocal = sessionmaker(engine, { models: [PremiumUser] });
  // Rules of sessions: they see what a whole flush or transaction is about.
  keepTimestamps(SessionLocal);
  auditChanges(SessionLocal);
  sendWelcomeMail(SessionLocal, mailer);
  return SessionLocal;
}
