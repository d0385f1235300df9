import { listen } from "athanor";
import { note } from "../journal.ts";
import { User } from "../models/user.ts";

const day = 24 * 60 * 60 * 1000;

// A trial is for those who do not pay: `propagate: false` keeps the rule from PremiumUser.
listen(
  User,
  "beforeInsert",
  ({ target }) => {
    target.trialEndsAt = new Date(Date.now() + 14 * day);
    note("trial-period", "may try everything for 14 days");
  },
  { propagate: false },
);
