import { unloadedAs } from "../../mapping/lazy.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";

/** Nothing is loaded, and whoever asks for it gets an error. */
export const raising: LoaderStrategy = {
  unloadedAs: unloadedAs("raise"),
  arrange() {},
};

/** The same, but what is known without a statement may be asked for. */
export const raisingOnSql: LoaderStrategy = {
  unloadedAs: unloadedAs("raiseOnSql"),
  arrange() {},
};
