import type { Engine } from "../engine/engine.ts";
import { EventNode, eventTarget } from "../event/event-node.ts";
import { mapperOf } from "../mapping/configure-mappers.ts";
import type { AnyModel } from "../mapping/model-types.ts";
import { AfterCommitError } from "./errors.ts";
import { Session } from "./session.ts";
import { sessionEvents } from "./session-events.ts";
import { expectSessionOptions, type SessionOptions } from "./session-options.ts";

/** How a sessionmaker makes its sessions. */
export interface SessionMakerOptions extends SessionOptions {
  /** Classes that must be known before they are first used, such as subclasses that only queries return. */
  readonly models?: readonly AnyModel[];
}

/** Makes sessions: call it for one, or let `begin` open, commit and close one around your work. Listen to it for all of them. */
export interface SessionMaker {
  /** A new session. Close it, or declare it with `await using`. */
  (options?: SessionOptions): Session;
  /**
   * Does the work in a session of its own, and commits it; an error rolls everything back. Answers with what the work returned.
   *
   * @throws AfterCommitError where the work was committed and a listener of afterCommit threw: its `result` is the work's. Do not repeat it.
   * @example
   * const id = await SessionLocal.begin(async (session) => { session.add(user); await session.flush(); return user.id; });
   */
  begin<T>(work: (session: Session) => Promise<T> | T): Promise<T>;
  readonly engine: Engine;
  readonly [eventTarget]: EventNode;
}

/**
 * Configures the sessions of an application, once: `const SessionLocal = sessionmaker(engine)`.
 *
 * SQLAlchemy: Session API, `sessionmaker`.
 *
 * @throws ArgumentError for an option that says something else than it can.
 */
export function sessionmaker(engine: Engine, options: SessionMakerOptions = {}): SessionMaker {
  expectSessionOptions(options);
  for (const model of options.models ?? []) mapperOf(model);
  const node = new EventNode(sessionEvents, "this sessionmaker", { parents: [Session[eventTarget]], level: 0 });
  const make = (own: SessionOptions): Session => {
    if (own === noOptions) return new Session(engine, options, node);
    expectSessionOptions(own);
    return new Session(engine, { ...options, ...own }, node);
  };
  const noOptions: SessionOptions = {};
  const begin = async <T>(work: (session: Session) => Promise<T> | T): Promise<T> => {
    await using session = make(noOptions);
    let result: T;
    try {
      result = await work(session);
    } catch (error) {
      return await rollbackAfter(session, error);
    }
    try {
      await session.commit();
    } catch (error) {
      // That of another session, which a listener of this one's has worked with, says nothing about this one.
      if (error instanceof AfterCommitError && error.session === session)
        throw new AfterCommitError(error.errors, session, result);
      return await rollbackAfter(session, error);
    }
    return result;
  };
  return Object.assign((own: SessionOptions = noOptions) => make(own), {
    begin,
    engine,
    [eventTarget]: node as EventNode,
  });
}

/** What went wrong first is what its caller must see; a rollback that fails as well, on a lost connection, adds nothing. */
async function rollbackAfter(session: Session, error: unknown): Promise<never> {
  await session.rollback().catch(() => undefined);
  throw error;
}
