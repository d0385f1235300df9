let allowed: boolean | undefined;

/**
 * Whether functions may be made from source text here; some platforms forbid it. Hot paths are generated per class
 * where they may be, and are closures that do the same where they may not.
 */
export function isCodeGenerationAllowed(): boolean {
  if (allowed === undefined) {
    try {
      allowed = new Function("return true")() === true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/** Makes a function from source text, with the given names in scope. Nothing of the user's may be in the text but JSON-quoted names. */
export function generate<TFunction>(scope: Readonly<Record<string, unknown>>, body: string): TFunction {
  return new Function(...Object.keys(scope), `"use strict"; ${body}`)(...Object.values(scope)) as TFunction;
}
