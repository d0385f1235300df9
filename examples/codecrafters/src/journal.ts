import { channel } from "node:diagnostics_channel";

/** What a rule just did. */
export interface Note {
  /** The rule's file in rules/, without its ending. */
  readonly rule: string;
  readonly text: string;
}

/** Where rules say what they do, and whoever is interested subscribes. A service would give it to its logger; here the story prints it. */
export const journal = channel("codecrafters:journal");

/** Says what a rule just did. */
export function note(rule: string, text: string): void {
  const entry: Note = { rule, text };
  journal.publish(entry);
}
