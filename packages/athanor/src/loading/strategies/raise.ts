import type { LoaderStrategy } from "../loader-strategy.ts";

/** Nothing is loaded, and whoever asks for it gets an error. */
export const raising: LoaderStrategy = {
  unloadedAs: "refused",
  arrange() {},
};

/** The same, but what is known without a statement may be asked for. */
export const raisingOnSql: LoaderStrategy = {
  unloadedAs: "refusedWithSql",
  arrange() {},
};
