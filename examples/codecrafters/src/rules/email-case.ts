import { attributes, listen } from "athanor";
import { note } from "../journal.ts";
import { User } from "../models/user.ts";

// With `retval` the result takes the place of the value. With `insert` the rule comes first, so that all others see the address as it is stored.
listen(
  attributes(User).email,
  "set",
  ({ value }) => {
    const email = value.trim().toLowerCase();
    if (email !== value) note("email-case", `${value} becomes ${email}`);
    return email;
  },
  { retval: true, insert: true },
);
