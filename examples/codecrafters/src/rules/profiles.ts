import { listen, objectSession } from "athanor";
import { note } from "../journal.ts";
import { Profile } from "../models/profile.ts";

// What timestamps.ts does for every model with HasTimestamps, for one model alone. beforeUpdate also fires where nothing has changed after all.
listen(Profile, "beforeUpdate", ({ target }) => {
  if (objectSession(target)?.isModified(target) !== true) return;
  target.updatedAt = new Date();
  note("profiles", "updatedAt is now");
});
