import { didYouMean } from "../event/closest-name.ts";
import { ArgumentError } from "../event/errors.ts";
import type { UnloadedAs } from "../instance/unloaded-as.ts";

/** Ways to load a relationship along with its instances. */
const along = ["selectin", "joined", "subquery", "immediate"] as const;

const ways = ["select", ...along, "raise", "raiseOnSql", "noload", "writeOnly"] as const;

/**
 * When a relationship is loaded, where a statement says nothing of it: by `load()` ("select", which is what it is unless you say so), along with its instances
 * ("selectin", "joined", "subquery", "immediate"), or not by itself ("raise", "raiseOnSql", "noload"). Each is what the option of that name says for one statement.
 * "writeOnly" is for collections that are too large to be ever loaded: the attribute is a `WriteOnlyCollection`, whatever statements say.
 *
 * SQLAlchemy: Relationship Loading Techniques, Configuring Loader Strategies at Mapping Time.
 */
export type Lazy = (typeof ways)[number];

/** Whether that way loads a relationship whenever its instances are loaded. */
export function isAlong(lazy: Lazy | undefined): boolean {
  return along.some((way) => way === lazy);
}

/** What a relationship that is loaded in that way is while it is not loaded. */
export function unloadedAs(lazy: Lazy | undefined): UnloadedAs {
  if (lazy === "raise") return "refused";
  if (lazy === "raiseOnSql") return "refusedWithSql";
  if (lazy === "writeOnly") return "never";
  return lazy === "noload" ? "empty" : "asked";
}

/** Throws ArgumentError for what is no way to load a relationship. */
export function expectLazy(lazy: unknown, label: string): void {
  if (lazy === undefined || ways.some((way) => way === lazy)) return;
  const hint = typeof lazy === "string" ? didYouMean(lazy, ways) : "";
  throw new ArgumentError(
    `${label} has lazy: ${JSON.stringify(lazy)}, which is no way to load a relationship.${hint} The ways are ${ways.map((way) => `"${way}"`).join(", ")}.`,
  );
}
