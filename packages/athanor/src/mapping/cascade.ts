import { ArgumentError } from "../event/errors.ts";

const names = ["save-update", "merge", "delete", "delete-orphan", "expunge", "refresh-expire"] as const;

/** What is done to related instances along with the one that refers to them. */
export type CascadeName = (typeof names)[number];

/** The cascades of one relationship. SQLAlchemy: Cascades. */
export type Cascade = ReadonlySet<CascadeName>;

/** Reads "all, delete-orphan". Throws ArgumentError for a word that is no cascade. */
export function parseCascade(text: string | undefined, isViewOnly: boolean): Cascade {
  if (text === undefined) return new Set(isViewOnly ? [] : ["save-update", "merge"]);
  const cascade = new Set<CascadeName>();
  for (const word of text.split(",").map((part) => part.trim())) {
    if (word === "" || word === "none") continue;
    if (word === "all") for (const name of names.filter((each) => each !== "delete-orphan")) cascade.add(name);
    else if ((names as readonly string[]).includes(word)) cascade.add(word as CascadeName);
    else
      throw new ArgumentError(
        `"${word}" is no cascade. There are ${names.join(", ")}, and all, which is everything but delete-orphan.`,
      );
  }
  return cascade;
}
