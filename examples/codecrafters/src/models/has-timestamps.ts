import { mixin, timestamp } from "athanor";

/** When a row was made, and when it was last changed. Every model that has these two is kept up to date by rules/timestamps.ts. */
export const HasTimestamps = mixin({ createdAt: timestamp(), updatedAt: timestamp() });
