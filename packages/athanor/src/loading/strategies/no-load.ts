import { unloadedAs } from "../../mapping/lazy.ts";
import type { LoaderStrategy } from "../loader-strategy.ts";

/** Nothing is loaded, and the relationship reads as if there were nothing. */
export const noLoading: LoaderStrategy = {
  unloadedAs: unloadedAs("noload"),
  arrange() {},
};
