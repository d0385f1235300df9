import { unloadedAs } from "../../mapping/lazy.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";

/** Nothing is loaded, by whatever option: the attribute is a collection that only takes additions and removals. */
export const writeOnly: LoaderStrategy = {
  unloadedAs: unloadedAs("writeOnly"),
  arrange() {},
};
