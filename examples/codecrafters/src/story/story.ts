import { createAll, IntegrityError, select } from "athanor";
import { AccessToken } from "../models/access-token.ts";
import { PremiumUser } from "../models/premium-user.ts";
import { Profile } from "../models/profile.ts";
import { User } from "../models/user.ts";

import { chargeCardOf, PaymentDeclined } from "./payments.ts";
import { secret } from "./secret.ts";
import type { Stage } from "./stage.ts";

/** Lets people sign up, change, fail and leave, on an empty database. The code of each step is printed as it stands here. */
export async function tellStory({ narrator, engine, SessionLocal }: Stage): Promise<void> {
  narrator.chapter("The tables", "They come from the models, with their keys, constraints and indexes.");
  await narrator.step(() => createAll(engine));

  narrator.chapter(
    "A user signs up",
    "The service adds a user, and that is all it does. The rules hash the password, set the timestamps, write the audit entry, and " +
      "welcome the user once the transaction is committed.",
  );
  await narrator.step(() =>
    SessionLocal.begin((session) => {
      session.add(new User({ username: "ada", email: "Ada@Math.example", password: secret.ada }));
    }),
  );

  narrator.chapter(
    "A premium user signs up",
    "PremiumUser inherits from User, with a table of its own, and with the rules: the password is hashed here too. Only the trial " +
      "period stays away, because that rule says `propagate: false`.",
  );
  await narrator.step(() =>
    SessionLocal.begin((session) => {
      session.add(
        new PremiumUser({
          username: "grace",
          email: "grace@navy.example",
          password: secret.grace,
          plan: "team",
        }),
      );
    }),
  );

  narrator.chapter(
    "An address that is taken",
    "In capitals or not, the address is Ada's. The database refuses the INSERT, everything is rolled back, and nobody gets a mail.",
  );
  await narrator.failingStep(
    () =>
      SessionLocal.begin((session) => {
        session.add(new User({ username: "eve", email: "ADA@math.example", password: secret.eve }));
      }),
    IntegrityError,
  );

  narrator.chapter(
    "A name that is refused",
    "A validator looks at every username that is assigned, in the constructor too. This user never comes into being, and the database hears nothing of it.",
  );
  await narrator.failingStep(
    () =>
      SessionLocal.begin((session) => {
        session.add(new User({ username: "Eve!", email: "eve@web.example", password: secret.eve }));
      }),
    RangeError,
  );

  narrator.chapter(
    "A sign-up that is rolled back",
    "The row is inserted, and then the payment fails: no row, no audit entry. And no mail, because afterCommit never comes; afterInsert would " +
      "have been too early for it.",
  );
  await narrator.failingStep(
    () =>
      SessionLocal.begin(async (session) => {
        const linus = new PremiumUser({
          username: "linus",
          email: "linus@example.org",
          password: secret.linus,
          plan: "team",
        });
        session.add(linus);
        await session.flush();
        await chargeCardOf(linus);
      }),
    PaymentDeclined,
  );

  narrator.chapter(
    "A new address",
    "An assignment is an event, with the old and the new value. One rule lower-cases the new one, another keeps both; the UPDATE " +
      "holds what has changed and nothing else.",
  );
  await narrator.step(() =>
    SessionLocal.begin(async (session) => {
      const ada = (await session.scalars(select(User).where({ username: "ada" }))).one();
      ada.email = "Ada.Lovelace@Engine.example";
    }),
  );

  narrator.chapter(
    "An update that changes nothing",
    "The address is assigned again, in capitals. Lower-cased it is what it was: the events of an update fire, and no UPDATE follows. There is no audit entry, and updatedAt does not move.",
  );
  await narrator.step(() =>
    SessionLocal.begin(async (session) => {
      const ada = (await session.scalars(select(User).where({ username: "ada" }))).one();
      ada.email = ada.email.toUpperCase();
    }),
  );

  narrator.chapter(
    "A profile, and an access token",
    "Access tokens have the same mixin as users, so their timestamps are kept by the same rule. Profiles do not: their updatedAt has a rule of " +
      "its own, a beforeUpdate of this one model.",
  );
  await narrator.step(() =>
    SessionLocal.begin(async (session) => {
      const ada = (await session.scalars(select(User).where({ username: "ada" }))).one();
      session.add(new Profile({ userId: ada.id, bio: "Translates from the French." }));
      session.add(new AccessToken({ userId: ada.id, name: "laptop" }));
    }),
  );
  await narrator.step(() =>
    SessionLocal.begin(async (session) => {
      const profile = (await session.scalars(select(Profile))).one();
      profile.bio = "Writes programs for a machine that is not built yet.";
    }),
  );

  narrator.chapter(
    "A suspension",
    "Max signs up, with an access token: two flushes, one transaction, one mail. When his status changes, a rule sees it in the history " +
      "of the attribute, and takes his tokens away in the same transaction.",
  );
  await narrator.step(() =>
    SessionLocal.begin(async (session) => {
      const max = new User({ username: "max", email: "max@example.org", password: secret.max });
      session.add(max);
      await session.flush();
      session.add(new AccessToken({ userId: max.id, name: "bot" }));
    }),
  );
  await narrator.step(() =>
    SessionLocal.begin(async (session) => {
      const max = (await session.scalars(select(User).where({ username: "max" }))).one();
      max.status = "suspended";
    }),
  );

  narrator.chapter(
    "A deletion",
    "Before the row of a user goes, a rule copies it to the archive, on the very connection that deletes it: both happen, or neither.",
  );
  await narrator.step(() =>
    SessionLocal.begin(async (session) => {
      const max = (await session.scalars(select(User).where({ username: "max" }))).one();
      await session.delete(max);
    }),
  );
}
