import { ArgumentError } from "../event/errors.ts";

/** A database URL taken apart: what follows the scheme is for its dialect to understand. */
export interface DatabaseUrl {
  readonly scheme: string;
  /** Without the scheme and the options behind the question mark. */
  readonly location: string;
  /** The options behind the question mark. Those of the engine are taken out as they are read; the rest is the driver's. */
  readonly options: URLSearchParams;
  /** The URL without its password, for messages. */
  readonly safe: string;
}

/** Takes a URL such as "postgresql://ann@db.example.com/shop?poolSize=20" or "sqlite:shop.db" apart. */
export function parseUrl(url: string): DatabaseUrl {
  const scheme = /^([a-z][a-z0-9+]*):/i.exec(url)?.[1];
  if (scheme === undefined) {
    throw new ArgumentError(
      `A database URL begins with a scheme, such as "sqlite:shop.db" or "postgresql://user:password@localhost/shop"; this one has none. ` +
        `It may come from an environment variable that is not set.`,
    );
  }
  const [location = "", ...options] = url.slice(scheme.length + 1).split("?");
  return {
    scheme: scheme.toLowerCase(),
    location,
    options: new URLSearchParams(options.join("?")),
    safe: `${scheme}:${location.replace(/^(\/\/[^/:@]*):.*@/, "$1@")}`,
  };
}

/** Takes a whole number out of a URL's options. */
export function takeNumber(url: DatabaseUrl, option: string): number | undefined {
  const text = url.options.get(option);
  if (text === null) return undefined;
  url.options.delete(option);
  if (!/^\d+$/.test(text)) {
    throw new ArgumentError(`The option ${option} of a database URL is a whole number, as in "?${option}=10".`);
  }
  return Number(text);
}
