import type { Model } from "athanor";
import { AccessToken } from "./models/access-token.ts";
import { Profile } from "./models/profile.ts";
import { User } from "./models/user.ts";

/** What people call an instance: its class, and what tells it from others. */
export function nameOf(instance: Model): string {
  const { name } = instance.constructor;
  if (instance instanceof User) return `${name} ${instance.username}`;
  if (instance instanceof AccessToken) return `${name} "${instance.name}"`;
  if (instance instanceof Profile) return `${name} of user ${instance.userId}`;
  return name;
}
